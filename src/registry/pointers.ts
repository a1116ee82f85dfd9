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

/** Pointers that are looked at for each one of a sample: not everybody is active, and the asker is left out. */
const LOOKS = 4;

export function pointersTable(sql: Sql) {
  /** IDs after a place, of active peers but one. */
  const near = (place: string, looks: number, now: Millis, except: PeerId): readonly string[] =>
    sql
      .exec(
        `SELECT near.id FROM
           (SELECT id, peer_id FROM pointers WHERE id > ? AND expires_at > ? ORDER BY id LIMIT ?) AS near
         JOIN peers ON peers.id = near.peer_id WHERE peers.state = 'active' AND peers.id <> ?
         ORDER BY near.id`,
        place,
        now,
        looks,
        except,
      )
      .map((row) => text(row, "id"));

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
    /**
     * IDs of active peers' pointers but the asker's: for each of the random places the next one, topped up from the first.
     * A few look-ups by key, however many pointers there are.
     */
    sample(places: readonly string[], now: Millis, asker: PeerId): readonly string[] {
      const found = new Set(places.flatMap((place) => near(place, LOOKS, now, asker).slice(0, 1)));
      for (const start of [places[0] ?? "", ""]) {
        if (found.size >= places.length) break;
        for (const id of near(start, LOOKS * places.length, now, asker)) found.add(id);
      }
      return [...found].slice(0, places.length);
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
