import { DAY, HOUR, type Millis } from "../base/clock.ts";
import { minimum, number, type Sql, type SqlRow } from "./sql.ts";

/** The budget's window, in whole hours. */
const hourOf = (now: Millis): number => Math.floor(now / HOUR);
const HOURS = DAY / HOUR;

/** What is counted of an hour. */
export interface KvCount {
  /** KV writes and deletions. */
  readonly writes: number;
  /** The most connected peers. */
  readonly peers: number;
  /** Records that were stored for strangers: peers whose keys are not listed. */
  readonly strangerRecords: number;
  /** The most connected strangers. */
  readonly strangers: number;
}

/** KV writes and deletions per hour, with the largest number of connected peers in that hour. */
export function kvWritesTable(sql: Sql, onWrites: (writes: number) => void = () => {}) {
  return {
    count(
      now: Millis,
      { writes = 0, peers = 0, strangerRecords = 0, strangers = 0 }: Partial<KvCount>,
    ): void {
      if (writes > 0) onWrites(writes);
      sql.exec(
        `INSERT INTO kv_writes (hour, writes, peers, stranger_records, strangers) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (hour) DO UPDATE SET writes = writes + excluded.writes, peers = MAX(peers, excluded.peers),
           stranger_records = stranger_records + excluded.stranger_records, strangers = MAX(strangers, excluded.strangers)`,
        hourOf(now),
        writes,
        peers,
        strangerRecords,
        strangers,
      );
    },
    prune(now: Millis): void {
      sql.exec(`DELETE FROM kv_writes WHERE hour <= ?`, hourOf(now) - HOURS);
    },
    /** When the first hour is over a day ago. */
    nextOver(): Millis | null {
      const hour = minimum(sql, `SELECT MIN(hour) AS at FROM kv_writes`);
      return hour === null ? null : (hour + HOURS) * HOUR;
    },
    /** Totals of the last day. */
    spent(now: Millis): KvCount {
      const row = sql.exec(
        `SELECT COALESCE(SUM(writes), 0) AS writes, COALESCE(MAX(peers), 0) AS peers,
           COALESCE(SUM(stranger_records), 0) AS stranger_records, COALESCE(MAX(strangers), 0) AS strangers
         FROM kv_writes WHERE hour > ?`,
        hourOf(now) - HOURS,
      )[0] as SqlRow;
      return {
        writes: number(row, "writes"),
        peers: number(row, "peers"),
        strangerRecords: number(row, "stranger_records"),
        strangers: number(row, "strangers"),
      };
    },
  };
}
