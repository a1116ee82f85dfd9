import type { Millis } from "../base/clock.ts";
import { number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** A part of a task's trace that has ended and is to be sent. */
export interface QueuedSpans {
  readonly seq: number;
  readonly taskId: string;
  /** Of the task when that part ended: spans from before a retry can't be read any more. */
  readonly retries: number;
  /** `task`: the task with its attempts. `callback`: its callback. */
  readonly part: "task" | "callback";
  readonly at: Millis;
}

/**
 * The tasks and callbacks whose spans are to be sent, in the order in which they ended. Entries are removed from the front only, so their
 * number follows from the first and the last.
 */
export function spanQueueTable(sql: Sql) {
  const bounds = () => {
    const row = sql.exec(
      `SELECT (SELECT MIN(seq) FROM span_queue) AS first, (SELECT MAX(seq) FROM span_queue) AS last`,
    )[0] as SqlRow;
    return { first: numberOrNull(row, "first"), last: numberOrNull(row, "last") };
  };
  const count = (): number => {
    const { first, last } = bounds();
    return first === null || last === null ? 0 : last - first + 1;
  };
  return {
    count,
    add({ taskId, retries, part, at }: Omit<QueuedSpans, "seq">): void {
      sql.exec(
        `INSERT INTO span_queue (task_id, retries, part, at) VALUES (?, ?, ?, ?)`,
        taskId,
        retries,
        part,
        at,
      );
    },
    first: (limit: number): readonly QueuedSpans[] =>
      sql.exec(`SELECT * FROM span_queue ORDER BY seq LIMIT ?`, limit).map((row) => ({
        seq: number(row, "seq"),
        taskId: text(row, "task_id"),
        retries: number(row, "retries"),
        part: text(row, "part") as QueuedSpans["part"],
        at: number(row, "at"),
      })),
    /** When the first entry was added; null when there is none. */
    oldest(): Millis | null {
      const [row] = sql.exec(`SELECT at FROM span_queue ORDER BY seq LIMIT 1`);
      return row === undefined ? null : number(row, "at");
    },
    removeUpTo(seq: number): void {
      sql.exec(`DELETE FROM span_queue WHERE seq <= ?`, seq);
    },
    /** Removes entries from before that time, and returns how many there were. */
    removeBefore(time: Millis): number {
      const [row] = sql.exec(`SELECT MIN(seq) AS kept FROM span_queue WHERE at >= ?`, time);
      const before = count();
      const kept = row === undefined ? null : numberOrNull(row, "kept");
      if (before === 0) return 0;
      sql.exec(`DELETE FROM span_queue WHERE ?1 IS NULL OR seq < ?1`, kept);
      return before - count();
    },
    clear(): void {
      if (count() > 0) sql.exec(`DELETE FROM span_queue`);
    },
  };
}
