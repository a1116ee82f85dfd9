import type { Millis } from "../base/clock.ts";
import { QUIET, type Group, type FailureWindow } from "../peers/correlated-failures.ts";
import { number, type Sql } from "./sql.ts";

/** Recent failures of networks and locations. */
export function correlatedFailuresTable(sql: Sql) {
  return {
    get({ by, name }: Group): FailureWindow {
      const row = sql.exec(
        `SELECT * FROM correlated_failures WHERE kind = ? AND name = ?`,
        by,
        name,
      )[0];
      return row === undefined
        ? QUIET
        : {
            windowAt: number(row, "window_at"),
            events: number(row, "events"),
            members: number(row, "members"),
            correlatedUntil: number(row, "correlated_until"),
          };
    },
    put({ by, name }: Group, { windowAt, events, members, correlatedUntil }: FailureWindow): void {
      sql.exec(
        `INSERT OR REPLACE INTO correlated_failures (kind, name, window_at, events, members, correlated_until) VALUES (?, ?, ?, ?, ?, ?)`,
        by,
        name,
        windowAt,
        events,
        members,
        correlatedUntil,
      );
    },
    /** Whether any group has correlated failures now. */
    anyCorrelated(now: Millis): boolean {
      return (
        sql.exec(`SELECT 1 AS one FROM correlated_failures WHERE correlated_until > ? LIMIT 1`, now)
          .length > 0
      );
    },
    /** Forgets windows that began before this and do not count as correlated any more. */
    prune(windowBefore: Millis, now: Millis): void {
      sql.exec(
        `DELETE FROM correlated_failures WHERE window_at < ? AND correlated_until <= ?`,
        windowBefore,
        now,
      );
    },
  };
}
