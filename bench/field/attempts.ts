import type { TaskApi } from "../assign/task-api.ts";

/** Tasks that are read at the same time. */
const READ_AT_ONCE = 50;

/** How tasks and their attempts ended. */
export interface Ends {
  readonly tasks: number;
  readonly succeeded: number;
  /** Tasks that did not succeed. */
  readonly lost: number;
  /** Attempts that began and did not succeed. */
  readonly wasted_attempts: number;
  /** The number of attempts by how they ended. */
  readonly attempts: Readonly<Record<string, number>>;
}

/** States of an attempt that no peer had begun. */
const NOT_BEGUN: ReadonlySet<string> = new Set(["refused", "reclaimed", "unanswered"]);

/** Reads tasks that have ended, and counts how. */
export async function readEnds(api: TaskApi, ids: readonly string[]): Promise<Ends> {
  const attempts: Record<string, number> = {};
  let succeeded = 0;
  for (let from = 0; from < ids.length; from += READ_AT_ONCE) {
    const read = ids.slice(from, from + READ_AT_ONCE).map((id) => api.get(id));
    for (const task of await Promise.all(read)) {
      if (task.state === "succeeded") succeeded++;
      for (const { state } of task.attempts) attempts[state] = (attempts[state] ?? 0) + 1;
    }
  }
  const wasted = Object.entries(attempts).filter(
    ([state]) => state !== "succeeded" && !NOT_BEGUN.has(state),
  );
  return {
    tasks: ids.length,
    succeeded,
    lost: ids.length - succeeded,
    wasted_attempts: wasted.reduce((sum, [, count]) => sum + count, 0),
    attempts,
  };
}

/** The tasks that a mesh accepted from batches of 100. */
export async function submitMany(
  api: TaskApi,
  kind: string,
  count: number,
): Promise<readonly string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const batch = await api.submitBatch(kind, Math.min(100, count - ids.length));
    if (batch.length === 0) throw new Error(`the mesh accepted ${ids.length} of ${count} tasks`);
    ids.push(...batch);
  }
  return ids;
}
