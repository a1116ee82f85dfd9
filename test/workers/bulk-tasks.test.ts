import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { BulkView, FailuresView, TaskView } from "../../src/protocol/http.ts";
import { call, placesOf, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

const submit = async (kind: string, token?: string): Promise<string> => {
  const options = { json: { kind }, ...(token !== undefined && { token }) };
  return (await call<TaskView>("POST", "/v1/tasks", options)).body.id;
};
const act = (name: "cancel" | "retry", json: object, token?: string) =>
  call<BulkView>("POST", `/v1/tasks/${name}`, { json, ...(token !== undefined && { token }) });
const newToken = async (scope: string): Promise<string> =>
  (await call<{ token: string }>("POST", "/v1/tokens", { json: { scope } })).body.token;

describe("acts on many tasks over HTTP", () => {
  it("AS83 a dry run shows what the act then does", async () => {
    const ids = [await submit("a"), await submit("a"), await submit("b")];
    const would = await act("cancel", { filter: { kind: "a" }, dry_run: true });
    expect(would).toMatchObject({
      status: 200,
      body: { count: 2, task_ids: ids.slice(0, 2), skipped: [], next_cursor: null },
    });
    expect((await act("cancel", { filter: { kind: "a" } })).body).toEqual(would.body);
    expect((await act("cancel", { filter: { kind: "a" } })).body.count).toBe(0);
    const retry = { ids: [...ids, crypto.randomUUID()], max_attempts: 2 };
    const preview = await act("retry", { ...retry, dry_run: true });
    expect(preview.body.skipped.map(({ code }) => code)).toEqual(["conflict", "not_found"]);
    expect((await act("retry", retry)).body).toEqual(preview.body);
    expect((await call("GET", `/v1/tasks/${ids[0]}`)).body).toMatchObject({
      state: "queued",
      retries: 1,
      max_attempts: 2,
    });
  });

  it("AS82 a controller acts on its own tasks only; a viewer on none", async () => {
    const [own, other, viewer] = [
      await newToken("controller"),
      await newToken("controller"),
      await newToken("viewer"),
    ];
    const id = await submit("a", own);
    expect((await act("cancel", { filter: { kind: "a" } }, other)).body.count).toBe(0);
    expect((await act("cancel", { ids: [id] }, other)).body).toMatchObject({
      count: 0,
      skipped: [{ id, code: "not_found" }],
    });
    problemOf(await act("cancel", { ids: [id] }, viewer), "forbidden");
    expect((await act("cancel", { filter: { kind: "a" } }, own)).body.count).toBe(1);
  });

  it("HT3 refuses a request that selects nothing, or by both ways, or too many tasks", async () => {
    const id = crypto.randomUUID();
    for (const wrong of [
      {},
      { filter: {} },
      { ids: [] },
      { ids: [id], filter: { kind: "a" } },
      { filter: { kinds: "a" } },
      { filter: { state: "succeeded" } },
      { ids: Array.from({ length: 1_001 }, () => id) },
    ]) {
      problemOf(await act("cancel", wrong), "invalid_request");
      problemOf(await act("retry", wrong), "invalid_request");
    }
    expect(placesOf(await act("cancel", { filter: { state: "failed" } }))).toEqual([
      "filter.state",
    ]);
    problemOf(await act("retry", { ids: [id], max_attempts: 0 }), "invalid_request");
    problemOf(await act("retry", { ids: [id], cursor: "x" }), "invalid_request");
  });
});

describe("GET /v1/tasks/failures", () => {
  it("AS86 groups failures; a controller sees those of its own tasks", async () => {
    const token = await newToken("controller");
    const json = { kind: "slow", deadline_seconds: 0.001 };
    await call("POST", "/v1/tasks?wait=60", { json });
    const all = await call<FailuresView>("GET", "/v1/tasks/failures?kind=slow");
    expect(all).toMatchObject({
      status: 200,
      body: {
        count: 1,
        complete: true,
        groups: [{ kind: "slow", state: "expired", count: 1, peers: [] }],
      },
    });
    const none = { groups: [], count: 0, group_count: 0, complete: true };
    expect((await call("GET", "/v1/tasks/failures", { token })).body).toEqual(none);
    expect((await call("GET", "/v1/tasks/failures?state=failed")).body).toEqual(none);
    expect(placesOf(await call("GET", "/v1/tasks/failures?ended_after=now"))).toEqual([
      "ended_after",
    ]);
  });
});
