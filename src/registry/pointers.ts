import type { Millis } from "../base/clock.ts";
import type { JsonObject } from "../base/json.ts";
import type { PeerId } from "../protocol/ids.ts";
import { json, number, text, type Sql, type SqlRow } from "./sql.ts";

/** A published pointer, and the peer behind it, which is never published. */
export interface PublishedPointer {
  readonly id: string;
  readonly peerId: PeerId;
  readonly blobId: string;
  readonly metadata: JsonObject;
  readonly expiresAt: Millis;
}

export function pointersTable(sql: Sql) {
  return {
    get(id: string, now: Millis): PublishedPointer | null {
      const row = sql.exec(`SELECT * FROM pointers WHERE id = ? AND expires_at > ?`, id, now)[0];
      return row === undefined ? null : readPointer(row);
    },
    ofPeer(peerId: PeerId): PublishedPointer | null {
      const row = sql.exec(`SELECT * FROM pointers WHERE peer_id = ?`, peerId)[0];
      return row === undefined ? null : readPointer(row);
    },
    /** By ID, which is random: the order says nothing of who joined when. Only IDs after this one, if one is given. */
    list(now: Millis, limit: number, after = ""): readonly PublishedPointer[] {
      return sql
        .exec(
          `SELECT * FROM pointers WHERE id > ? AND expires_at > ? ORDER BY id LIMIT ?`,
          after,
          now,
          limit,
        )
        .map(readPointer);
    },
    put(pointer: PublishedPointer): void {
      sql.exec(
        `INSERT OR REPLACE INTO pointers (id, peer_id, blob_id, metadata, expires_at) VALUES (?, ?, ?, ?, ?)`,
        pointer.id,
        pointer.peerId,
        pointer.blobId,
        JSON.stringify(pointer.metadata),
        pointer.expiresAt,
      );
    },
    remove(peerId: PeerId): void {
      sql.exec(`DELETE FROM pointers WHERE peer_id = ?`, peerId);
    },
  };
}

const readPointer = (row: SqlRow): PublishedPointer => ({
  id: text(row, "id"),
  peerId: text(row, "peer_id"),
  blobId: text(row, "blob_id"),
  metadata: json(row, "metadata"),
  expiresAt: number(row, "expires_at"),
});
