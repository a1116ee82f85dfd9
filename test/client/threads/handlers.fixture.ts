/** Handlers of every temper, which the tests load into threads. */
import { threadId } from "node:worker_threads";
import { TaskError } from "../../../src/client/errors.ts";
import type { Handlers } from "../../../src/client/work/handler.ts";

const never = new Promise<never>(() => {});

/** Computes for that long without yielding. */
function compute(ms: number): number {
  const until = performance.now() + ms;
  let rounds = 0;
  while (performance.now() < until) rounds++;
  return rounds;
}

export const handlers: Handlers = {
  echo: (payload, { taskId, kind, attempt }) => ({ payload, taskId, kind, attempt }),
  trace: (_payload, { traceparent = null, tracestate = null }) => [traceparent, tracestate],
  thread: () => threadId,
  compute: (ms) => compute(Number(ms)) > 0,
  loop: () => compute(Number.POSITIVE_INFINITY),
  final: () => {
    throw new TaskError("there is no such image", { retry: false });
  },
  failing: () => Promise.reject(new Error("out of paper")),
  undefined: () => undefined,
  bigint: () => 1n,
  polite: (_payload, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error(`stopped: ${signal.reason}`)));
    }),
  reporting: (_payload, { progress }) => {
    progress(0.25);
    progress(undefined, "halfway");
    return null;
  },
  chatty: (_payload, { progress }) => {
    for (let n = 0; n <= 1_000_000; n++) progress(n / 1_000_000);
    return null;
  },
  exit: (code) => process.exit(Number(code)),
  uncaught: () => {
    setTimeout(() => {
      throw new Error("nobody caught this");
    });
    return never;
  },
  rejected: () => {
    void Promise.reject(new Error("nobody handled this"));
    return never;
  },
  greedy: () => {
    const hoard: unknown[] = [];
    for (;;) hoard.push(Array.from({ length: 1_000 }, (_, n) => ({ n })));
  },
};
