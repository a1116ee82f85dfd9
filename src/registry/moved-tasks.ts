import type { Attempt, Task } from "../tasks/task.ts";
import type { Callback } from "../webhooks/index.ts";
import type { Registry } from "./registry.ts";
import type { Sql } from "./sql.ts";
import type { Permit } from "./task-arrivals.ts";

/** A task with everything that goes with it to another cell. The choices that were made for it stay behind, and are forgotten. */
export interface MovedTask {
  readonly task: Task;
  readonly attempts: readonly Attempt[];
  readonly callback: Callback | null;
  /** The key that its result is sealed to. */
  readonly sealTo: string | null;
  readonly hops: number;
  readonly permit: Permit | null;
}

type Tables = Pick<Registry, "tasks" | "attempts" | "callbacks" | "taskResults">;

/** Removes a queued task that moves to another cell, from the rows and from memory. Its idempotency key stays and leads to its ID. */
export function removeMoved(sql: Sql, tables: Tables, task: Task): void {
  const { tasks, callbacks, taskResults } = tables;
  for (const table of ["attempts", "choices", "task_results", "task_arrivals"])
    sql.exec(`DELETE FROM ${table} WHERE task_id = ?`, task.id);
  sql.exec(`DELETE FROM tasks WHERE id = ?`, task.id);
  callbacks.remove(task.id);
  taskResults.kept.forget(task.id);
  tasks.kept.forget(task.id);
  tasks.ownerBytes.closed(task.id);
  tasks.shares.settled(task.id);
  // What is counted in memory only has to see that it is not queued any more.
  const gone: Task = { ...task, state: "cancelled" };
  tasks.waiting.wrote(gone, () => 0);
  tasks.recalls.wrote(gone);
}

/** Inserts a task that came from another cell. */
export function insertMoved(
  { tasks, attempts, callbacks, taskResults }: Tables,
  { task, attempts: made, callback, sealTo }: MovedTask,
): void {
  tasks.insert(task, false);
  for (const attempt of made) attempts.insert(attempt);
  taskResults.accepted(task.id);
  if (sealTo !== null) taskResults.sealTo(task.id, sealTo);
  if (callback === null) callbacks.accepted(task.id);
  else callbacks.insert(callback);
}
