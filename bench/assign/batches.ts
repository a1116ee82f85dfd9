import { setTimeout as sleep } from "node:timers/promises";
import type { Load } from "./load.ts";
import { KIND, type EmptyPeers } from "./peers.ts";
import type { TaskApi } from "./task-api.ts";

export const BATCH = 100;
/** Batches that are submitted at the same time. */
const SUBMITTERS = 4;
const POLL_MS = 20;

export interface BatchLoad {
  readonly api: TaskApi;
  readonly peers: EmptyPeers;
  readonly count: number;
  /** Rejects when the tasks have not ended after this time. */
  readonly timeoutSeconds: number;
  /** Called with the IDs of each batch that was submitted. */
  readonly onSubmitted?: (ids: readonly string[]) => void;
}

/**
 * Submits tasks in batches as fast as the mesh takes them and waits until all have ended. The handlers run in this process,
 * so the mesh is asked only once they have run for every task: whether any task has not ended.
 */
export async function runInBatches(load: BatchLoad): Promise<Load> {
  const { api, peers, count, onSubmitted } = load;
  const total = () => peers.runs.reduce((sum, runs) => sum + runs, 0);
  const before = total();
  const began = performance.now();
  const until = began + load.timeoutSeconds * 1_000;
  let left = count;
  const submitter = async () => {
    while (left > 0) {
      const size = Math.min(BATCH, left);
      left -= size;
      const ids = await api.submitBatch(KIND, size);
      if (ids.length < size) throw new Error(`${size - ids.length} tasks of a batch were refused`);
      onSubmitted?.(ids);
    }
  };
  await Promise.all(Array.from({ length: SUBMITTERS }, submitter));
  while (total() - before < count || (await api.hasUnended())) {
    if (performance.now() > until)
      throw new Error(`${total() - before} of ${count} tasks ran in ${load.timeoutSeconds} s`);
    await sleep(POLL_MS);
  }
  return { calls: count, seconds: (performance.now() - began) / 1_000 };
}
