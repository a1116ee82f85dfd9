import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { KindSettingsView, TaskStats, TokenView } from "../../src/protocol/http.ts";
import { api } from "../durable/api.ts";

afterEach(async () => {
  await reset();
});

const as =
  (token: string) =>
  <T>(method: string, path: string, body?: unknown) =>
    api<T>(method, path, body, { Authorization: `Bearer ${token}` });

describe("the settings of kinds over HTTP", () => {
  it("FQ6 are set, read, listed and deleted, and bounded", async () => {
    const put = await api<KindSettingsView>("PUT", "/v1/kinds/resize", {
      concurrency: 3,
      rate: { per_second: 5 },
    });
    const settings = {
      kind: "resize",
      attempt_timeout_seconds: null,
      concurrency: 3,
      rate: { per_second: 5, burst: 1 },
    };
    expect([put.status, put.body]).toEqual([200, settings]);
    expect((await api("GET", "/v1/kinds/resize")).body).toEqual(settings);
    expect((await api("GET", "/v1/kinds")).body).toEqual({ kinds: [settings] });
    const misspelt = { concurency: 3 };
    for (const wrong of [
      misspelt,
      { concurrency: 0 },
      { concurrency: 1_001 },
      { rate: { per_second: 0 } },
    ])
      expect((await api("PUT", "/v1/kinds/resize", wrong)).status).toBe(400);
    expect((await api("DELETE", "/v1/kinds/resize")).status).toBe(204);
    expect((await api("DELETE", "/v1/kinds/resize")).status).toBe(404);
    expect((await api("GET", "/v1/kinds/resize")).status).toBe(404);
  });
});

describe("owners over HTTP", () => {
  it("FQ3 a token has a weight and limits, which are changed one by one", async () => {
    const made = await api<TokenView & { token: string }>("POST", "/v1/tokens", {
      label: "tenant",
      scope: "controller",
      weight: 3,
      max_priority: 1,
      max_bytes: null,
    });
    const limits = {
      weight: 3,
      max_waiting: null,
      max_running: null,
      max_priority: 1,
      max_bytes: null,
    };
    expect(made.body.limits).toEqual(limits);
    const path = `/v1/tokens/${made.body.id}`;
    const changed = await api<TokenView>("PATCH", path, { max_running: 5 });
    expect([changed.status, changed.body.limits]).toEqual([200, { ...limits, max_running: 5 }]);
    expect((await api("PATCH", path, { weight: 101 })).status).toBe(400);
    const tenant = as(made.body.token);
    expect((await tenant("PATCH", path, { weight: 100 })).status).toBe(403);
    const refused = await tenant<{ code: string }>("POST", "/v1/tasks", {
      kind: "echo",
      priority: 2,
    });
    expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
    expect((await tenant("POST", "/v1/tasks", { kind: "echo", priority: 1 })).status).toBe(202);
  });

  it("FQ11 a controller sees the statistics of its own tasks", async () => {
    const { body } = await api<{ id: string; token: string }>("POST", "/v1/tokens", {
      label: "tenant",
      scope: "controller",
    });
    const tenant = as(body.token);
    await api("POST", "/v1/tasks", { kind: "echo" });
    await tenant("POST", "/v1/tasks", { kind: "echo" });
    expect((await api<TaskStats>("GET", "/v1/tasks/stats")).body.waiting).toBe(2);
    const own = (await tenant<TaskStats>("GET", "/v1/tasks/stats")).body;
    expect(own.owners.map(({ owner, label, waiting }) => [owner, label, waiting])).toEqual([
      [body.id, "tenant", 1],
    ]);
  });
});
