import type { Millis } from "../base/clock.ts";
import { numberOrNull, text, type Sql, type SqlRow, type SqlValue } from "./sql.ts";

/** The tasks whose lease or deadline is over, and when the next one is. */
export function taskDueTimes(sql: Sql) {
  const ids = (query: string, ...bindings: SqlValue[]) =>
    sql.exec(query, ...bindings).map((row) => text(row, "id"));
  return {
    /** IDs of tasks whose lease has ended, or whose offer was not accepted in time. */
    leasesOver(now: Millis): readonly string[] {
      return ids(`SELECT id FROM tasks WHERE lease_until <= ? ORDER BY lease_until LIMIT 500`, now);
    },

    pastDeadline(now: Millis): readonly string[] {
      return ids(
        `SELECT id FROM tasks WHERE ended_at IS NULL AND deadline_at <= ? ORDER BY deadline_at LIMIT 500`,
        now,
      );
    },

    /** When the next lease, deadline or pause ends; null when nothing waits for a time. */
    nextDue(now: Millis): Millis | null {
      const row = sql.exec(
        `SELECT MIN(due) AS due FROM (
           SELECT MIN(lease_until) AS due FROM tasks WHERE lease_until IS NOT NULL
           UNION ALL SELECT MIN(deadline_at) FROM tasks WHERE ended_at IS NULL
           UNION ALL SELECT MIN(not_before) FROM tasks
             WHERE state = 'queued' AND not_before > created_at AND not_before > ?)`,
        now,
      )[0] as SqlRow;
      return numberOrNull(row, "due");
    },
  };
}
