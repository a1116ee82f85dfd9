import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { flag, minimum, number, type Sql } from "./sql.ts";

/** What must outlive a removed peer's record. */
export interface Tombstone {
  /** Its last epoch: a late message of an old session must not count as one of a new session. */
  readonly epoch: number;
  /** Whether the key has spoken muster.2: forgetting a peer must not let its key use the weaker protocol. */
  readonly spokeMuster2: boolean;
}

export function tombstonesTable(sql: Sql) {
  return {
    get(id: PeerId): Tombstone | null {
      const row = sql.exec(`SELECT epoch, spoke_muster2 FROM tombstones WHERE peer_id = ?`, id)[0];
      return row === undefined
        ? null
        : { epoch: number(row, "epoch"), spokeMuster2: flag(row, "spoke_muster2") };
    },
    put(id: PeerId, { epoch, spokeMuster2 }: Tombstone, now: Millis): void {
      sql.exec(
        `INSERT OR REPLACE INTO tombstones (peer_id, epoch, spoke_muster2, removed_at) VALUES (?, ?, ?, ?)`,
        id,
        epoch,
        Number(spokeMuster2),
        now,
      );
    },
    /** Removes the oldest tombstones of keys that are not listed, except so many. */
    trimStrangers(kept: number): void {
      sql.exec(
        `DELETE FROM tombstones WHERE peer_id IN (
           SELECT peer_id FROM tombstones
           WHERE NOT EXISTS (SELECT 1 FROM allowlist WHERE allowlist.peer_id = tombstones.peer_id)
           ORDER BY removed_at DESC LIMIT -1 OFFSET ?)`,
        kept,
      );
    },
    /** Removes tombstones of peers that were removed before this, at most so many. */
    prune(removedBefore: Millis, limit: number): void {
      sql.exec(
        `DELETE FROM tombstones WHERE peer_id IN (
           SELECT peer_id FROM tombstones WHERE removed_at < ? ORDER BY removed_at LIMIT ?)`,
        removedBefore,
        limit,
      );
    },
    oldest: (): Millis | null => minimum(sql, `SELECT MIN(removed_at) AS at FROM tombstones`),
  };
}
