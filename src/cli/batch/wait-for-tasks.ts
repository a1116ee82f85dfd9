import { WaitTimeout, type MeshClient, type Task } from "../../client/index.ts";

/** How many tasks are waited for at once: each holds a request open. */
const WAITS_MAX = 16;

interface WaitOptions {
  /** When the wait ends; default: never. */
  readonly until: number;
  readonly outageMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits for the ends of tasks, and calls `ended` with each as it ends. Returns the number of those that have not ended when the time is over. An error of
 * one wait ends all of them.
 */
export async function waitForTasks<T extends { readonly id: string }>(
  mesh: Pick<MeshClient, "tasks">,
  tasks: readonly T[],
  ended: (of: T, task: Task) => Promise<void>,
  { until, outageMs, signal }: WaitOptions,
): Promise<number> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const queue = tasks.values();
  let unfinished = 0;
  const worker = async (): Promise<void> => {
    for (const each of queue) {
      const timeoutMs = Math.max(0, until - Date.now());
      const options = Number.isFinite(timeoutMs) ? { timeoutMs } : {};
      try {
        await ended(each, await mesh.tasks.wait(each.id, { ...options, outageMs, signal: stop }));
      } catch (error) {
        if (!(error instanceof WaitTimeout)) throw error;
        unfinished += 1;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: WAITS_MAX }, worker));
  } catch (error) {
    failure.abort();
    throw error;
  }
  return unfinished;
}
