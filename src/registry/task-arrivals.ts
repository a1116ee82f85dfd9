import type { Millis } from "../base/clock.ts";
import type { Task } from "../tasks/task.ts";
import { json, number, numberOrNull, textOrNull, type Sql } from "./sql.ts";

/** What is kept of a task that another cell accepted or had. */
export interface TaskArrival {
  readonly taskId: string;
  /** How often it has moved because there was no room, or nobody who could take it. */
  readonly hops: number;
  /** How many attempts at it had failed when it came. */
  readonly attempts: number;
  /** When it came. */
  readonly at: Millis;
  /** The cell where it counts for its concurrency key until it ends, and that key; null: none. Here it then has no key. */
  readonly permit: Permit | null;
}

export interface Permit {
  readonly cell: number;
  readonly concurrency: NonNullable<Task["concurrency"]>;
}

/** The tasks that have come from another cell. */
export function taskArrivalsTable(sql: Sql) {
  return {
    get(taskId: string): TaskArrival | null {
      const [row] = sql.exec(`SELECT * FROM task_arrivals WHERE task_id = ?`, taskId);
      if (row === undefined) return null;
      const cell = numberOrNull(row, "permit_cell");
      const isPermitted = cell !== null && textOrNull(row, "concurrency") !== null;
      const permit = isPermitted
        ? { cell, concurrency: json<Permit["concurrency"]>(row, "concurrency") }
        : null;
      const at = number(row, "at");
      return { taskId, hops: number(row, "hops"), attempts: number(row, "attempts"), at, permit };
    },
    put({ taskId, hops, attempts, at, permit }: TaskArrival): void {
      sql.exec(
        `INSERT OR REPLACE INTO task_arrivals (task_id, hops, attempts, at, permit_cell, concurrency) VALUES (?, ?, ?, ?, ?, ?)`,
        taskId,
        hops,
        attempts,
        at,
        permit?.cell ?? null,
        permit === null ? null : JSON.stringify(permit.concurrency),
      );
    },
    /** The task begins again: no attempt at it has failed. */
    restarted(taskId: string): void {
      sql.exec(`UPDATE task_arrivals SET attempts = 0 WHERE task_id = ?`, taskId);
    },
    remove(taskId: string): void {
      sql.exec(`DELETE FROM task_arrivals WHERE task_id = ?`, taskId);
    },
  };
}
