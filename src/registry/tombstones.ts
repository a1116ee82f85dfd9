import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { number, type Sql } from "./sql.ts";

/** What stays of a removed peer: its last epoch, so that a late word of an old session is never taken for a new one's. */
export function tombstonesTable(sql: Sql) {
  return {
    epochOf(id: PeerId): number {
      const row = sql.exec(`SELECT epoch FROM tombstones WHERE peer_id = ?`, id)[0];
      return row === undefined ? 0 : number(row, "epoch");
    },
    put(id: PeerId, epoch: number, now: Millis): void {
      sql.exec(
        `INSERT OR REPLACE INTO tombstones (peer_id, epoch, removed_at) VALUES (?, ?, ?)`,
        id,
        epoch,
        now,
      );
    },
  };
}
