import type { Millis } from "../base/clock.ts";
import { CALLBACK_BACKOFF_MAX } from "../protocol/constants.ts";
import { insertRow, minimum, number, text, type Sql, type SqlRow } from "./sql.ts";

/** What an alert webhook is still to be told. */
export interface AlertDelivery {
  readonly url: string;
  /** The key of the alert. */
  readonly key: string;
  /** The same for each attempt and each receiver, so that a receiver knows a repetition. */
  readonly id: string;
  readonly body: string;
  readonly dueAt: Millis;
  readonly attempts: number;
}

/** Deliveries that wait. Beyond them the oldest are dropped. */
const DELIVERIES_MAX = 500;
/** The longest pause with its jitter. One that would last longer began before the clock was set back, and is over. */
const PAUSE_MAX: Millis = 1.25 * CALLBACK_BACKOFF_MAX;

/**
 * The outbox of alert webhooks: at most one delivery for each receiver and alert. A newer one replaces one that was not acknowledged, so a
 * receiver that was away is told how things are.
 */
export function alertDeliveriesTable(sql: Sql) {
  return {
    put({ url, key, id, body, dueAt, attempts }: AlertDelivery): void {
      sql.exec(`DELETE FROM alert_deliveries WHERE url = ? AND key = ?`, url, key);
      insertRow(sql, "alert_deliveries", { url, key, id, body, due_at: dueAt, attempts });
      sql.exec(
        `DELETE FROM alert_deliveries WHERE seq <= (SELECT seq FROM alert_deliveries ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
        DELIVERIES_MAX,
      );
    },

    /** The next that is due to none of these receivers. */
    due(now: Millis, except: readonly string[]): AlertDelivery | null {
      const [row] = sql.exec(
        `SELECT * FROM alert_deliveries
         WHERE (due_at <= ? OR due_at > ?) AND url NOT IN (SELECT value FROM json_each(?))
         ORDER BY due_at, seq LIMIT 1`,
        now,
        now + PAUSE_MAX,
        JSON.stringify(except),
      );
      return row === undefined ? null : readDelivery(row);
    },

    get(id: string, url: string): AlertDelivery | null {
      const [row] = sql.exec(`SELECT * FROM alert_deliveries WHERE url = ? AND id = ?`, url, id);
      return row === undefined ? null : readDelivery(row);
    },

    update({ id, url, dueAt, attempts }: AlertDelivery): void {
      sql.exec(
        `UPDATE alert_deliveries SET due_at = ?, attempts = ? WHERE url = ? AND id = ?`,
        dueAt,
        attempts,
        url,
        id,
      );
    },

    remove({ id, url }: Pick<AlertDelivery, "id" | "url">): void {
      sql.exec(`DELETE FROM alert_deliveries WHERE url = ? AND id = ?`, url, id);
    },

    /** Removes what waits for receivers that are not configured any more. */
    keepOnly(urls: readonly string[]): void {
      const isOther = `url NOT IN (SELECT value FROM json_each(?))`;
      const kept = JSON.stringify(urls);
      if (sql.exec(`SELECT 1 FROM alert_deliveries WHERE ${isOther} LIMIT 1`, kept).length > 0)
        sql.exec(`DELETE FROM alert_deliveries WHERE ${isOther}`, kept);
    },

    /** When the next attempt is due; null when none is. */
    nextDue: (now: Millis): Millis | null =>
      minimum(
        sql,
        `SELECT MIN(CASE WHEN due_at > ?1 + ?2 THEN ?1 ELSE due_at END) AS at FROM alert_deliveries`,
        now,
        PAUSE_MAX,
      ),
  };
}

const readDelivery = (row: SqlRow): AlertDelivery => ({
  url: text(row, "url"),
  key: text(row, "key"),
  id: text(row, "id"),
  body: text(row, "body"),
  dueAt: number(row, "due_at"),
  attempts: number(row, "attempts"),
});
