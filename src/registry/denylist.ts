import type { Millis } from "../base/clock.ts";
import type { DenyReason } from "../protocol/http.ts";
import type { MeshEvent } from "../protocol/events.ts";
import type { PeerId } from "../protocol/ids.ts";
import { flag, insertRow, number, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/** A key that is refused in every auth mode. Its ID alone bars it, because an ID is a hash of the key. */
export interface DenyEntry {
  readonly peerId: PeerId;
  /** Null when the key was barred by its ID, before it was ever shown. */
  readonly publicKey: string | null;
  readonly deniedAt: Millis;
  /** The operator revoked the key, or its peer rotated to another. */
  readonly reason: DenyReason;
  /** Who barred it, as the audit log names it; null in entries of older versions. */
  readonly deniedBy: string | null;
  /** The ID of the key that replaced a rotated one; null in entries of older versions, and of revoked keys. */
  readonly rotatedTo: PeerId | null;
}

/** A place in the list: entries are listed by time, the newest first. */
export type DenyPlace = Pick<DenyEntry, "deniedAt" | "peerId">;

/** Rotations of one peer that are followed. A peer that rotates daily needs 27 years for so many. */
const ROTATIONS_MAX = 10_000;

/**
 * Keys that are refused in every auth mode: a revoked one until the operator readmits it, a rotated one for ever.
 *
 * @param onLoss called when a key is barred
 * @param record keeps the event of a change
 */
export function denylistTable(sql: Sql, onLoss: () => void, record: (event: MeshEvent) => void) {
  const get = (id: PeerId): DenyEntry | null => {
    const row = sql.exec(`SELECT * FROM denylist WHERE peer_id = ?`, id)[0];
    return row === undefined ? null : readEntry(row);
  };
  return {
    get,
    reasonOf: (id: PeerId): DenyReason | null => get(id)?.reason ?? null,
    has: (id: PeerId): boolean => get(id) !== null,
    /**
     * An entry that exists stays as it is.
     *
     * @param isStranger whether the key was not listed: entries of strangers that rotated have a limit
     */
    add(entry: DenyEntry, isStranger = false): void {
      onLoss();
      const columns = {
        peer_id: entry.peerId,
        public_key: entry.publicKey ?? "",
        denied_at: entry.deniedAt,
        rotated: Number(entry.reason === "rotated"),
        denied_by: entry.deniedBy,
        rotated_to: entry.rotatedTo,
        stranger: Number(isStranger),
      };
      const added = insertRow(
        sql,
        "denylist",
        columns,
        "ON CONFLICT (peer_id) DO NOTHING RETURNING peer_id",
      );
      if (added.length > 0) record({ type: "denylist.added", peer: entry.peerId });
    },
    /** Removes the oldest entries of strangers that rotated, except so many, and returns the IDs of the keys. */
    trimRotatedStrangers(kept: number): readonly PeerId[] {
      return sql
        .exec(
          `DELETE FROM denylist WHERE peer_id IN (
             SELECT peer_id FROM denylist WHERE rotated = 1 AND stranger = 1 ORDER BY denied_at DESC LIMIT -1 OFFSET ?)
           RETURNING peer_id`,
          kept,
        )
        .map((row) => {
          const peer = text(row, "peer_id");
          record({ type: "denylist.removed", peer });
          return peer;
        });
    },
    remove(id: PeerId): void {
      const removed = sql.exec(`DELETE FROM denylist WHERE peer_id = ? RETURNING peer_id`, id);
      if (removed.length > 0) record({ type: "denylist.removed", peer: id });
    },
    /** The ID to which the rotations of a key have led; null when an entry does not say where its rotation led. */
    currentId(id: PeerId): PeerId | null {
      let current = id;
      for (let rotations = 0; rotations < ROTATIONS_MAX; rotations++) {
        const entry = get(current);
        if (entry?.reason !== "rotated") return current;
        if (entry.rotatedTo === null) return null;
        current = entry.rotatedTo;
      }
      return null;
    },
    /** Keys that the operator revoked. */
    countRevoked(): number {
      const row = sql.exec(`SELECT COUNT(*) AS count FROM denylist WHERE rotated = 0`)[0];
      return number(row as SqlRow, "count");
    },
    /** Newest first. */
    list(filter: {
      readonly reason: DenyReason | undefined;
      readonly after: DenyPlace | null;
      readonly limit: number;
    }): readonly DenyEntry[] {
      return sql
        .exec(
          `SELECT * FROM denylist WHERE (?1 IS NULL OR rotated = ?1)
             AND (?2 IS NULL OR denied_at < ?2 OR (denied_at = ?2 AND peer_id > ?3))
           ORDER BY denied_at DESC, peer_id LIMIT ?4`,
          filter.reason === undefined ? null : Number(filter.reason === "rotated"),
          filter.after?.deniedAt ?? null,
          filter.after?.peerId ?? "",
          filter.limit,
        )
        .map(readEntry);
    },
  };
}

const readEntry = (row: SqlRow): DenyEntry => ({
  peerId: text(row, "peer_id"),
  publicKey: text(row, "public_key") === "" ? null : text(row, "public_key"),
  deniedAt: number(row, "denied_at"),
  reason: flag(row, "rotated") ? "rotated" : "revoked",
  deniedBy: textOrNull(row, "denied_by"),
  rotatedTo: textOrNull(row, "rotated_to"),
});
