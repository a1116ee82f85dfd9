import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { insertRow, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** A blob whose storing has begun, and what it holds. */
export interface UnsettledBlob {
  readonly id: string;
  readonly peerId: PeerId;
  readonly epoch: number;
  readonly fingerprint: string;
  readonly begunAt: Millis;
}

/**
 * Blobs of which it is not known yet whether a pointer will name them. One that stays here is an orphan: whoever stored
 * it ended in between.
 */
export function unsettledBlobsTable(sql: Sql) {
  return {
    put({ id, peerId, epoch, fingerprint, begunAt }: UnsettledBlob): void {
      const columns = { id, peer_id: peerId, epoch, fingerprint, begun_at: begunAt };
      const tail = "ON CONFLICT (id) DO UPDATE SET begun_at = excluded.begun_at";
      insertRow(sql, "unsettled_blobs", columns, tail);
    },
    /** The one of an earlier try that would hold the same: written again, it can't do harm however late that one comes. */
    same({ peerId, epoch, fingerprint }: Omit<UnsettledBlob, "id" | "begunAt">): string | null {
      const row = sql.exec(
        `SELECT id FROM unsettled_blobs WHERE peer_id = ? AND epoch = ? AND fingerprint = ?`,
        peerId,
        epoch,
        fingerprint,
      )[0];
      return row === undefined ? null : text(row, "id");
    },
    /** False when it is no longer here: the sweeper has taken it. */
    settle(id: string): boolean {
      return sql.exec(`DELETE FROM unsettled_blobs WHERE id = ? RETURNING id`, id).length > 0;
    },
    begunBefore(time: Millis): readonly string[] {
      return sql
        .exec(`SELECT id FROM unsettled_blobs WHERE begun_at <= ?`, time)
        .map((row) => text(row, "id"));
    },
    oldest(): Millis | null {
      const row = sql.exec(`SELECT MIN(begun_at) AS oldest FROM unsettled_blobs`)[0] as SqlRow;
      return numberOrNull(row, "oldest");
    },
  };
}
