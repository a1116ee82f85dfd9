import { describe, expect, test } from "vitest";
import { api, json, problem, task, ID } from "./fake-api.ts";

describe("tasks.retry", () => {
  test("AS80 sends only the options that are given, and is repeated until it is answered", async () => {
    const { mesh, requests } = api(problem(503, "unavailable"), json(task("queued")));
    await mesh.tasks.retry(ID, { maxAttempts: 3 });
    expect(requests.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      `POST /base/v1/tasks/${ID}/retry`,
      `POST /base/v1/tasks/${ID}/retry`,
    ]);
    expect(requests[1]?.body).toEqual({ max_attempts: 3 });
  });
});

const piece = (more: object = {}) =>
  json({ count: 0, task_ids: [], skipped: [], next_cursor: null, ...more });

describe("acts on many tasks", () => {
  test("AS82 repeat the request from where it ended, and add up what was done", async () => {
    const { mesh, requests } = api(
      piece({ count: 200, task_ids: ["a", "b"].map(() => ID), next_cursor: "1-2-3" }),
      problem(429, "queue_full"),
      piece({ count: 7, skipped: [{ id: ID, code: "not_found" }] }),
    );
    const progress: number[] = [];
    const done = await mesh.tasks.retryMany(
      { kind: "a", createdAfter: new Date(0), errorContains: "disk" },
      { maxAttempts: 2, onProgress: ({ count }) => progress.push(count) },
    );
    expect(done).toEqual({
      count: 207,
      taskIds: [ID, ID],
      skipped: [{ id: ID, code: "not_found" }],
    });
    expect(progress).toEqual([200, 207]);
    const filter = {
      kind: "a",
      created_after: "1970-01-01T00:00:00.000Z",
      error_contains: "disk",
    };
    const body = { filter, max_attempts: 2, dry_run: false };
    expect(requests.map((request) => request.body)).toEqual([
      body,
      { ...body, cursor: "1-2-3" },
      { ...body, cursor: "1-2-3" },
    ]);
    expect(requests[0]?.url.pathname).toBe("/base/v1/tasks/retry");
  });

  test("AS83 name at most 1,000 tasks in one request, each once", async () => {
    const { mesh, requests } = api(piece({ count: 1 }));
    const ids = Array.from({ length: 1_001 }, (_, n) => `${n}`);
    const { count } = await mesh.tasks.cancelMany([...ids, "5"], { dryRun: true });
    expect(count).toBe(2);
    expect(requests.map(({ body }) => body)).toEqual([
      { ids: ids.slice(0, 1_000), dry_run: true },
      { ids: ["1000"], dry_run: true },
    ]);
  });
});

describe("the trace of a submission", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const tracestate = "vendor=value";

  test("SK45 is sent as headers, of a batch, too, and is shown with the task", async () => {
    const { mesh, requests } = api(
      json(task("queued", { traceparent, tracestate })),
      json({ results: [] }),
    );
    const submitted = await mesh.tasks.submit("sum", 1, { traceparent, tracestate });
    expect(submitted).toMatchObject({ traceparent, tracestate });
    await mesh.tasks.submitBatch([{ kind: "sum" }], { traceparent });
    const sent = requests.map(({ headers }) =>
      ["traceparent", "tracestate"].map((name) => headers.get(name)),
    );
    expect(sent).toEqual([
      [traceparent, tracestate],
      [traceparent, null],
    ]);
  });

  test("SK47 the timeline of a task is read from the mesh", async () => {
    const trace = { task_id: ID, trace_id: "0".repeat(32), exported: false, spans: [] };
    const { mesh, requests } = api(json(trace));
    // A mesh of an earlier version does not tell of the rounds before a retry.
    expect(await mesh.tasks.trace(ID)).toEqual({ ...trace, earlier_rounds: [] });
    expect(requests[0]?.url.pathname).toBe(`/base/v1/tasks/${ID}/trace`);
  });

  test("SK45 that can't be a header is left out, and the task is submitted", async () => {
    const { mesh, requests } = api(json(task("queued")));
    await mesh.tasks.submit("sum", 1, { traceparent: "a\r\nb: c", tracestate: "" });
    expect(requests[0]?.headers.has("traceparent")).toBe(false);
    expect(requests[0]?.headers.has("tracestate")).toBe(false);
  });
});
