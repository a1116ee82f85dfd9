import { describe, expect, test } from "vitest";
import { api, json, task } from "./fake-api.ts";

const LIMITS = {
  weight: 4,
  max_waiting: null,
  max_running: 2,
  max_priority: null,
  max_bytes: null,
};
const TOKEN = {
  id: "00112233445566ff",
  label: "",
  scope: "controller",
  prefix: "mst_00112233445566ff",
  created_at: "2030-01-01T00:00:00.000Z",
  revoked_at: null,
  limits: LIMITS,
};

describe("what owners and kinds may have, in the SDK", () => {
  test("FQ3 tokens.update sends the limits that are given, and no others", async () => {
    const { mesh, requests } = api(json(TOKEN));
    const { limits } = await mesh.tokens.update(TOKEN.id, { weight: 4, maxPriority: null });
    expect(limits).toEqual(LIMITS);
    expect(requests.map(({ method, url, body }) => [method, url.pathname, body])).toEqual([
      ["PATCH", `/base/v1/tokens/${TOKEN.id}`, { weight: 4, max_priority: null }],
    ]);
  });

  test("FQ6 kinds.put replaces all settings of a kind", async () => {
    const settings = { attempt_timeout_seconds: null, concurrency: null };
    const rate = { per_second: 5, burst: 1 };
    const { mesh, requests } = api(json({ kind: "resize", ...settings, rate }));
    await mesh.kinds.put("resize", { rate: { perSecond: 5 } });
    expect(requests.map(({ method, url, body }) => [method, url.pathname, body])).toEqual([
      ["PUT", "/base/v1/kinds/resize", { ...settings, rate }],
    ]);
  });

  test("FQ5 a task is submitted with its concurrency key", async () => {
    const { mesh, requests } = api(json(task("queued")));
    await mesh.tasks.submit("resize", null, { concurrency: { key: "db", limit: 2 } });
    expect(requests[0]?.body).toMatchObject({ concurrency: { key: "db", limit: 2 } });
  });
});
