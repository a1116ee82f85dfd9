import { afterEach, describe, expect, test } from "vitest";
import { nodeThreads, type NodeThreadOptions } from "../../../src/client/threads/node-thread.ts";
import { ThreadPool } from "../../../src/client/threads/thread-pool.ts";
import { runToOutcome, type Outcome } from "../../../src/client/work/attempt-outcome.ts";
import type { Handlers, TaskContext } from "../../../src/client/work/handler.ts";
import { wire } from "../../wire.ts";

const HANDLERS = new URL("handlers.fixture.ts", import.meta.url).href;

let pool: ThreadPool;
afterEach(() => pool.stop());

async function load(size = 1, options: NodeThreadOptions = {}): Promise<Handlers> {
  pool = new ThreadPool({ module: HANDLERS, size, spawn: nodeThreads(options) });
  return pool.load();
}

interface RunOptions {
  readonly payload?: unknown;
  readonly trace?: Pick<TaskContext, "traceparent" | "tracestate">;
  readonly signal?: AbortSignal;
  readonly progress?: (fraction?: number, message?: string) => void;
}

/** Runs a handler as the runner of tasks does. */
async function run(handlers: Handlers, kind: string, options: RunOptions = {}): Promise<Outcome> {
  const {
    payload = null,
    trace = {},
    signal = new AbortController().signal,
    progress = () => undefined,
  } = options;
  const payloadText = JSON.stringify(payload);
  const context = {
    taskId: "t",
    kind,
    payloadText,
    attempt: 2,
    fence: 7,
    ...trace,
    signal,
    progress,
  };
  return wire(await runToOutcome(() => handlers[kind]?.(payload, context)));
}

const abortAfter = (ms: number): AbortSignal => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(new DOMException("no longer needed", "AbortError")), ms);
  return abort.signal;
};

describe("WK4 a handler in a thread", () => {
  test("WK4 has the kinds of its module, and gets payload and context", async () => {
    const handlers = await load();
    expect(Object.keys(handlers)).toContain("echo");
    const payload = { text: "déjà vu", list: [1, null, true] };
    expect(await run(handlers, "echo", { payload })).toEqual({
      ok: true,
      result: { payload, taskId: "t", kind: "echo", attempt: 2 },
    });
  });

  test("SK46 gets the trace of its task", async () => {
    const trace = { traceparent: "00-trace", tracestate: "vendor=value" };
    const handlers = await load();
    const result = [trace.traceparent, trace.tracestate];
    expect(await run(handlers, "trace", { trace })).toEqual({ ok: true, result });
    expect(await run(handlers, "trace")).toEqual({ ok: true, result: [null, null] });
  });

  test.each([
    ["final", { ok: false, error: "there is no such image", retry: false }],
    ["failing", { ok: false, error: "out of paper", retry: true }],
    ["undefined", { ok: true, result: null }],
    ["bigint", { ok: false, error: expect.stringContaining("not JSON"), retry: false }],
  ])("WK4 ends as it would in the peer's own thread: %s", async (kind, outcome) => {
    expect(await run(await load(), kind)).toEqual(outcome);
  });

  test("WK4 reports progress", async () => {
    const reports: unknown[] = [];
    await run(await load(), "reporting", { progress: (...report) => reports.push(report) });
    expect(reports).toEqual([[0.25, undefined]]);
  });

  test("WK4 that reports progress in a loop does not flood the peer", async () => {
    let reports = 0;
    await run(await load(), "chatty", { progress: () => void reports++ });
    expect(reports).toBeGreaterThan(0);
    expect(reports).toBeLessThan(1_000);
  });

  test("WK5 that settles when its signal aborts keeps its thread", async () => {
    const handlers = await load();
    const before = await run(handlers, "thread");
    expect(await run(handlers, "polite", { signal: abortAfter(10) })).toMatchObject({
      ok: false,
      error: "stopped: AbortError: no longer needed",
    });
    expect(await run(handlers, "thread")).toEqual(before);
  });

  test("WK5 that loops for ever is ended with its thread, and the next task gets a new one", async () => {
    const handlers = await load();
    const before = await run(handlers, "thread");
    expect(await run(handlers, "loop", { signal: abortAfter(10) })).toMatchObject({
      ok: false,
      error: expect.stringContaining("the thread that ran the handler"),
    });
    const after = await run(handlers, "thread");
    expect(after).toMatchObject({ ok: true });
    expect(after).not.toEqual(before);
  });

  test.each([
    ["exit", 0, "exited with code 0"],
    ["exit", 7, "exited with code 7"],
    ["uncaught", null, "crashed: nobody caught this"],
    ["rejected", null, "crashed: nobody handled this"],
    ["greedy", null, "ran out of memory"],
  ])("WK6 fails its own attempt only: %s %s", async (kind, payload, reason) => {
    // Node ends a thread whose heap is full only if what one collection promotes fits in 16 MiB more; otherwise it ends the process.
    const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };
    const handlers = await load(1, { resourceLimits });
    expect(await run(handlers, kind, { payload })).toEqual({
      ok: false,
      error: `the thread that ran the handler ${reason}`,
      retry: true,
    });
    expect(await run(handlers, "echo")).toMatchObject({ ok: true });
  });
});

describe("WK4 the threads of a peer", () => {
  test("WK4 run as many handlers at once as there are threads; further tasks wait", async () => {
    const handlers = await load(2);
    const computing = ["a", "b"].map(() => run(handlers, "compute", { payload: 300 }));
    const waiting = run(handlers, "thread");
    const first = await Promise.race([waiting, ...computing]);
    expect(first).toEqual({ ok: true, result: true });
    expect(await waiting).toMatchObject({ ok: true });
    await Promise.all(computing);
  });

  test("WK4 are kept and used again", async () => {
    const handlers = await load(4);
    const ids = new Set<unknown>();
    for (let n = 0; n < 8; n++) ids.add(JSON.stringify(await run(handlers, "thread")));
    expect(ids.size).toBe(1);
  });

  test("WK4 become more when the peer gets more slots", async () => {
    const handlers = await load(1);
    const abort = new AbortController();
    const looping = run(handlers, "loop", { signal: abort.signal });
    const waiting = run(handlers, "echo");
    pool.setSize(2);
    expect(await waiting).toMatchObject({ ok: true });
    abort.abort(new DOMException("the test is over", "AbortError"));
    await looping;
  });

  test("WK5 end when the peer closes, also those whose handler does not stop", async () => {
    const handlers = await load(2);
    const looping = run(handlers, "loop", { signal: abortAfter(50) });
    pool.stop();
    expect(await looping).toMatchObject({ ok: false });
    expect(await run(handlers, "echo")).toMatchObject({ ok: false, error: "the peer has closed" });
  });
});

describe("WK7 a module that can't be loaded", () => {
  test.each([
    ["data:text/javascript,throw new Error('no license')", "no license"],
    ["data:text/javascript,export const other = 1", "the module exports no handlers"],
    ["data:text/javascript,export default {}", "the module exports no handlers"],
    [
      "data:text/javascript,export const handlers = { a: 1 }",
      "the module's handler of a is not a function",
    ],
    ["file:///there/is/no/such.mjs", "can't be loaded"],
    ["data:text/javascript,process.exit(4)", "the thread that loaded it exited with code 4"],
  ])("WK7 %s is reported with the reason", async (module, reason) => {
    pool = new ThreadPool({ module, size: 1, spawn: nodeThreads() });
    await expect(pool.load()).rejects.toThrow(reason);
  });

  test("WK7 a default export will do", async () => {
    const module = "data:text/javascript,export default { two: () => 2 }";
    pool = new ThreadPool({ module, size: 1, spawn: nodeThreads() });
    expect(await run(await pool.load(), "two")).toEqual({ ok: true, result: 2 });
  });
});
