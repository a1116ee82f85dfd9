import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { insertRow, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** A blob that is being stored, and what it contains. */
export interface UnsettledBlob {
  readonly id: string;
  readonly peerId: PeerId;
  readonly epoch: number;
  readonly fingerprint: string;
  readonly begunAt: Millis;
}

/**
 * Blobs that are being stored and are not named by a pointer yet. One that stays here too long is an orphan: its
 * storing was interrupted.
 */
export function unsettledBlobsTable(sql: Sql) {
  return {
    put({ id, peerId, epoch, fingerprint, begunAt }: UnsettledBlob): void {
      const columns = { id, peer_id: peerId, epoch, fingerprint, begun_at: begunAt };
      const tail = "ON CONFLICT (id) DO UPDATE SET begun_at = excluded.begun_at";
      insertRow(sql, "unsettled_blobs", columns, tail);
    },
    /**
     * The blob of an earlier attempt with the same content. It is written again, so that a late write of the earlier
     * attempt does no harm.
     */
    same({ peerId, epoch, fingerprint }: Omit<UnsettledBlob, "id" | "begunAt">): string | null {
      const row = sql.exec(
        `SELECT id FROM unsettled_blobs WHERE peer_id = ? AND epoch = ? AND fingerprint = ?`,
        peerId,
        epoch,
        fingerprint,
      )[0];
      return row === undefined ? null : text(row, "id");
    },
    /** Removes the row. Returns false when it was not there, because it has expired. */
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
