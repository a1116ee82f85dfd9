import type { Millis } from "../base/clock.ts";
import { QUIET, type Group, type FailureWindow } from "../peers/correlated-failures.ts";
import { number, numberOrNull, type Sql, type SqlRow } from "./sql.ts";

/** Recent failures of networks and locations. */
export function correlatedFailuresTable(sql: Sql) {
  return {
    get({ by, name, listed }: Group): FailureWindow {
      const row = sql.exec(
        `SELECT * FROM correlated_failures WHERE kind = ? AND name = ? AND listed = ?`,
        by,
        name,
        Number(listed),
      )[0];
      return row === undefined
        ? QUIET
        : {
            windowAt: number(row, "window_at"),
            events: number(row, "events"),
            members: number(row, "members"),
            correlatedUntil: number(row, "correlated_until"),
            periodAt: number(row, "period_at"),
            correlatedMs: number(row, "correlated_ms"),
          };
    },
    put({ by, name, listed }: Group, failures: FailureWindow): void {
      sql.exec(
        `INSERT OR REPLACE INTO correlated_failures
           (kind, name, listed, window_at, events, members, correlated_until, period_at, correlated_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        by,
        name,
        Number(listed),
        failures.windowAt,
        failures.events,
        failures.members,
        failures.correlatedUntil,
        failures.periodAt,
        failures.correlatedMs,
      );
    },
    /** Forgets all groups but so many, those first that have been quiet for longest. */
    trim(kept: number): void {
      sql.exec(
        `DELETE FROM correlated_failures WHERE (kind, name, listed) IN (
           SELECT kind, name, listed FROM correlated_failures ORDER BY window_at DESC LIMIT -1 OFFSET ?)`,
        kept,
      );
    },
    /** Whether any group has correlated failures now. */
    anyCorrelated(now: Millis): boolean {
      return (
        sql.exec(`SELECT 1 AS one FROM correlated_failures WHERE correlated_until > ? LIMIT 1`, now)
          .length > 0
      );
    },
    /** When the first window is over that is kept for so long, of a group whose period of this length is over, too. */
    nextOver(keptFor: Millis, period: Millis): Millis | null {
      const row = sql.exec(
        `SELECT MIN(MAX(window_at + ?1, period_at + ?2)) + 1 AS at FROM correlated_failures`,
        keptFor,
        period,
      )[0];
      return numberOrNull(row as SqlRow, "at");
    },
    /** Forgets windows that began before this, of groups whose period began before `periodBefore`. */
    prune(windowBefore: Millis, periodBefore: Millis): void {
      sql.exec(
        `DELETE FROM correlated_failures WHERE window_at < ? AND period_at < ?`,
        windowBefore,
        periodBefore,
      );
    },
  };
}
