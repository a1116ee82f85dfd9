import { DAY, type Millis } from "../base/clock.ts";
import { UndoMap } from "../base/undo-map.ts";
import { minimum, type Sql } from "./sql.ts";

/** Owners in memory. */
const KEPT_MAX = 2_000;

/**
 * When it was last recorded in the audit log that an owner submits tasks: at most once a day, because each task has its owner
 * and its time anyway.
 */
export function submittersTable(sql: Sql) {
  const kept = new UndoMap<string, Millis>();
  return {
    kept,
    /** Whether a submission is to be recorded now. Asks the table once for each owner after a wake. */
    isToRecord(owner: string, now: Millis): boolean {
      const known = kept.get(owner);
      if (known !== undefined && now < known + DAY) return false;
      if (kept.size >= KEPT_MAX) kept.clear();
      kept.set(owner, now);
      const rows = sql.exec(
        `INSERT INTO submitters (owner, recorded_at) VALUES (?1, ?2)
         ON CONFLICT (owner) DO UPDATE SET recorded_at = ?2 WHERE recorded_at <= ?2 - ${DAY} RETURNING owner`,
        owner,
        now,
      );
      return rows.length > 0;
    },
    oldest: (): Millis | null => minimum(sql, `SELECT MIN(recorded_at) AS at FROM submitters`),
    prune(now: Millis): void {
      sql.exec(`DELETE FROM submitters WHERE recorded_at <= ?`, now - DAY);
    },
  };
}
