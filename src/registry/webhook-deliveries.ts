import type { Millis } from "../base/clock.ts";
import { FIRST_PLACE, type ListPlace } from "../cells/list-place.ts";
import type { DeliveryOutcome } from "../protocol/http.ts";
import { insertRow, number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/** One correctly signed delivery. Others are never stored. */
export interface WebhookDelivery {
  readonly id: string;
  readonly source: string;
  readonly receivedAt: Millis;
  /** The signed part of its identity. */
  readonly deliveryId: string;
  readonly outcome: DeliveryOutcome;
  readonly taskId: string | null;
  readonly detail: string | null;
  /** Size of its body. */
  readonly bytes: number;
  /** The delivery that an operator replayed as this one. */
  readonly replayOf: string | null;
  /** Headers and body, sealed (`webhooks/sealed-delivery.ts`), in base64; null when they are not stored. */
  readonly sealed: string | null;
}

export interface DeliveryFilter {
  readonly source: string;
  readonly outcome?: DeliveryOutcome | undefined;
  readonly since: Millis;
  /** Only deliveries older than the one with this sequence number. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** A delivery in a list, with whether its content is stored instead of the content. */
export interface ListedDelivery extends Omit<WebhookDelivery, "sealed"> {
  readonly seq: number;
  readonly kept: boolean;
}

const LISTED_COLUMNS = `seq, id, source, received_at, delivery_id, outcome, task_id, detail, bytes, replay_of,
  sealed IS NOT NULL AS kept`;

export function webhookDeliveriesTable(sql: Sql) {
  return {
    /** Adds a delivery, and removes the oldest ones of its source beyond so many. */
    add(delivery: WebhookDelivery, keep: number): void {
      insertRow(sql, "webhook_deliveries", {
        id: delivery.id,
        source: delivery.source,
        received_at: delivery.receivedAt,
        delivery_id: delivery.deliveryId,
        outcome: delivery.outcome,
        task_id: delivery.taskId,
        detail: delivery.detail,
        bytes: delivery.bytes,
        replay_of: delivery.replayOf,
        sealed: delivery.sealed,
      });
      sql.exec(
        `DELETE FROM webhook_deliveries WHERE source = ?1 AND seq <=
           (SELECT seq FROM webhook_deliveries WHERE source = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)`,
        delivery.source,
        keep,
      );
    },
    /** Drops the contents of the source's oldest deliveries, so that the others have at most so many bytes. */
    keepContents(source: string, bytes: number): void {
      sql.exec(
        `UPDATE webhook_deliveries SET sealed = NULL WHERE seq IN (
           SELECT seq FROM (
             SELECT seq, SUM(octet_length(sealed)) OVER (ORDER BY seq DESC) AS total
               FROM webhook_deliveries WHERE source = ?1 AND sealed IS NOT NULL)
           WHERE total > ?2)`,
        source,
        bytes,
      );
    },
    get(source: string, id: string, since: Millis): WebhookDelivery | null {
      const row = sql.exec(
        `SELECT * FROM webhook_deliveries WHERE id = ? AND source = ? AND received_at > ?`,
        id,
        source,
        since,
      )[0];
      return row === undefined ? null : { ...readCommon(row), sealed: textOrNull(row, "sealed") };
    },
    /** Newest first. */
    list({ source, outcome, since, before, limit }: DeliveryFilter): readonly ListedDelivery[] {
      return sql
        .exec(
          `SELECT ${LISTED_COLUMNS} FROM webhook_deliveries WHERE source = ?1 AND received_at > ?2 AND (?3 IS NULL OR seq < ?3)
             AND (?4 IS NULL OR outcome = ?4) ORDER BY seq DESC LIMIT ?5`,
          source,
          since,
          before ?? null,
          outcome ?? null,
          limit,
        )
        .map(readListed);
    },
    /** Those of a source in the order of places, of which there are few. */
    listBehind(
      { source, outcome, since, limit }: DeliveryFilter,
      { at, id }: ListPlace,
    ): readonly ListedDelivery[] {
      return sql
        .exec(
          `SELECT ${LISTED_COLUMNS} FROM webhook_deliveries WHERE source = ?1 AND received_at > ?2
             AND (received_at < ?3 OR (received_at = ?3 AND id > ?4)) AND (?5 IS NULL OR outcome = ?5)
           ORDER BY received_at DESC, id LIMIT ?6`,
          source,
          since,
          at,
          id,
          outcome ?? null,
          limit,
        )
        .map(readListed);
    },
    /** The place of the delivery with this sequence number. If there is no such delivery any more, that of the next newer one. */
    placeOf(source: string, seq: number): ListPlace {
      const [row] = sql.exec(
        `SELECT received_at, id FROM webhook_deliveries WHERE source = ? AND seq >= ? ORDER BY seq LIMIT 1`,
        source,
        seq,
      );
      return row === undefined
        ? FIRST_PLACE
        : { at: number(row, "received_at"), id: text(row, "id") };
    },
    removeOf(source: string): void {
      sql.exec(`DELETE FROM webhook_deliveries WHERE source = ?`, source);
    },
    prune(before: Millis): void {
      sql.exec(`DELETE FROM webhook_deliveries WHERE received_at <= ?`, before);
    },
    oldest(): Millis | null {
      const row = sql.exec(`SELECT MIN(received_at) AS at FROM webhook_deliveries`)[0];
      return numberOrNull(row as SqlRow, "at");
    },
  };
}

const readListed = (row: SqlRow): ListedDelivery => ({
  ...readCommon(row),
  seq: number(row, "seq"),
  kept: number(row, "kept") === 1,
});

const readCommon = (row: SqlRow): Omit<WebhookDelivery, "sealed"> => ({
  id: text(row, "id"),
  source: text(row, "source"),
  receivedAt: number(row, "received_at"),
  deliveryId: text(row, "delivery_id"),
  outcome: text(row, "outcome") as DeliveryOutcome,
  taskId: textOrNull(row, "task_id"),
  detail: textOrNull(row, "detail"),
  bytes: number(row, "bytes"),
  replayOf: textOrNull(row, "replay_of"),
});
