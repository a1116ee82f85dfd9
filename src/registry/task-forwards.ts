import type { Millis } from "../base/clock.ts";
import { UndoMap } from "../base/undo-map.ts";
import { minimum, number, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/** Forwards that a cell keeps. A cell that has as many moves no task any more, unless it drains. */
const FORWARDS_MAX = 200_000;

/** Where a task went that was here. */
export interface TaskForward {
  readonly taskId: string;
  readonly cell: number;
  /** The number of the message that has the task. Until the other cell has taken it, nobody has the task. */
  readonly seq: number;
  /** The owner key of the task (`tasks/owner-key.ts`). */
  readonly owner: string;
  /** The concurrency key for which the task counts as running here, although it is in the other cell; null: none. */
  readonly concurrencyKey: string | null;
  readonly expiresAt: Millis;
}

/** The tasks that have moved from this cell to another one. */
export function taskForwardsTable(sql: Sql, onPermit: () => void) {
  /** How many tasks in other cells count for each concurrency key. */
  const permits = new UndoMap<string, number>();
  for (const row of sql.exec(
    `SELECT owner, concurrency_key, COUNT(*) AS count FROM task_forwards WHERE concurrency_key IS NOT NULL GROUP BY owner, concurrency_key`,
  ))
    permits.set(keyOf(text(row, "owner"), text(row, "concurrency_key")), number(row, "count"));
  const countPermit = (owner: string, concurrencyKey: string | null, by: number): void => {
    if (concurrencyKey === null) return;
    const key = keyOf(owner, concurrencyKey);
    const count = (permits.get(key) ?? 0) + by;
    if (count > 0) permits.set(key, count);
    else permits.delete(key);
  };
  const get = (taskId: string): TaskForward | null => {
    const [row] = sql.exec(`SELECT * FROM task_forwards WHERE task_id = ?`, taskId);
    return row === undefined ? null : readForward(row);
  };
  const remove = (taskId: string): void => {
    const [row] = sql.exec(`DELETE FROM task_forwards WHERE task_id = ? RETURNING *`, taskId);
    if (row === undefined) return;
    const { owner, concurrencyKey } = readForward(row);
    countPermit(owner, concurrencyKey, -1);
  };
  return {
    /** What a transaction that fails has changed is undone. */
    kept: permits,
    get,
    remove,
    put(forward: TaskForward): void {
      remove(forward.taskId);
      const { taskId, cell, seq, owner, concurrencyKey, expiresAt } = forward;
      sql.exec(
        `INSERT INTO task_forwards (task_id, cell, seq, owner, concurrency_key, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
        taskId,
        cell,
        seq,
        owner,
        concurrencyKey,
        expiresAt,
      );
      countPermit(owner, concurrencyKey, 1);
    },
    /** A task that counted for its concurrency key has ended in the other cell. */
    endPermit(taskId: string): void {
      const forward = get(taskId);
      if (forward === null || forward.concurrencyKey === null) return;
      sql.exec(`UPDATE task_forwards SET concurrency_key = NULL WHERE task_id = ?`, taskId);
      countPermit(forward.owner, forward.concurrencyKey, -1);
      onPermit();
    },
    /** How many tasks in other cells count for a concurrency key of an owner. */
    permitsOf: (owner: string, concurrencyKey: string): number =>
      permits.size === 0 ? 0 : (permits.get(keyOf(owner, concurrencyKey)) ?? 0),
    /** The cells that got tasks of an owner. */
    cellsOf: (owner: string): readonly number[] =>
      sql
        .exec(`SELECT DISTINCT cell FROM task_forwards WHERE owner = ?`, owner)
        .map((row) => number(row, "cell")),
    /** The owner has another ID since its key was rotated. */
    handOver(from: string, to: string): void {
      sql.exec(`UPDATE task_forwards SET owner = ? WHERE owner = ?`, to, from);
      for (const [key, count] of permits.entries()) {
        const [owner, concurrencyKey] = JSON.parse(key) as [string, string];
        if (owner !== from) continue;
        permits.delete(key);
        countPermit(to, concurrencyKey, count);
      }
    },
    /** Whether the cell may move more tasks. */
    hasRoom: (): boolean =>
      number(sql.exec(`SELECT COUNT(*) AS count FROM task_forwards`)[0] as SqlRow, "count") <
      FORWARDS_MAX,
    /** When the first forward expires. */
    oldest: (): Millis | null => minimum(sql, `SELECT MIN(expires_at) AS at FROM task_forwards`),
    prune(now: Millis, limit: number): void {
      for (const row of sql.exec(
        `SELECT task_id FROM task_forwards WHERE expires_at <= ? ORDER BY expires_at LIMIT ?`,
        now,
        limit,
      ))
        remove(text(row, "task_id"));
    },
    /** The forward is kept for longer: the task was put back into the queue. */
    keepUntil(taskId: string, expiresAt: Millis): void {
      sql.exec(
        `UPDATE task_forwards SET expires_at = MAX(expires_at, ?) WHERE task_id = ?`,
        expiresAt,
        taskId,
      );
    },
  };
}

const keyOf = (owner: string, concurrencyKey: string): string =>
  JSON.stringify([owner, concurrencyKey]);

const readForward = (row: SqlRow): TaskForward => ({
  taskId: text(row, "task_id"),
  cell: number(row, "cell"),
  seq: number(row, "seq"),
  owner: text(row, "owner"),
  concurrencyKey: textOrNull(row, "concurrency_key"),
  expiresAt: number(row, "expires_at"),
});
