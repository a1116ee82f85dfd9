import { DAY, HOUR, type Millis } from "../base/clock.ts";
import { number, type Sql, type SqlRow } from "./sql.ts";

/** The budget's window, in whole hours. */
const hourOf = (now: Millis): number => Math.floor(now / HOUR);
const HOURS = DAY / HOUR;

/** KV writes and deletions per hour, with the largest number of connected peers in that hour. */
export function kvWritesTable(sql: Sql) {
  return {
    count(now: Millis, writes: number, peers: number): void {
      sql.exec(
        `INSERT INTO kv_writes (hour, writes, peers) VALUES (?, ?, ?) ON CONFLICT (hour) DO UPDATE SET
         writes = writes + excluded.writes, peers = MAX(peers, excluded.peers)`,
        hourOf(now),
        writes,
        peers,
      );
      sql.exec(`DELETE FROM kv_writes WHERE hour <= ?`, hourOf(now) - HOURS);
    },
    /** Totals of the last day. */
    spent(now: Millis): { readonly writes: number; readonly peers: number } {
      const row = sql.exec(
        `SELECT COALESCE(SUM(writes), 0) AS writes, COALESCE(MAX(peers), 0) AS peers FROM kv_writes WHERE hour > ?`,
        hourOf(now) - HOURS,
      )[0] as SqlRow;
      return { writes: number(row, "writes"), peers: number(row, "peers") };
    },
  };
}
