import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { minimum, number, text, type Sql, type SqlRow } from "./sql.ts";

/** Old IDs of peers that rotated their keys: for a while they lead to the record. */
export function aliasesTable(sql: Sql) {
  return {
    put(oldId: PeerId, newId: PeerId, expiresAt: Millis): void {
      // Chains stay one link long: an alias of the old ID becomes an alias of the new one.
      sql.exec(`UPDATE aliases SET new_id = ? WHERE new_id = ?`, newId, oldId);
      sql.exec(
        `INSERT OR REPLACE INTO aliases (old_id, new_id, expires_at) VALUES (?, ?, ?)`,
        oldId,
        newId,
        expiresAt,
      );
    },
    /** The ID that this one leads to; itself when it is not an alias. */
    resolve(id: PeerId, now: Millis): PeerId {
      const row = sql.exec(
        `SELECT new_id FROM aliases WHERE old_id = ? AND expires_at > ?`,
        id,
        now,
      )[0];
      return row === undefined ? id : text(row, "new_id");
    },
    /** How often the peer with this ID has rotated its key, within the lifetime of an alias. */
    count(newId: PeerId, now: Millis): number {
      const row = sql.exec(
        `SELECT COUNT(*) AS count FROM aliases WHERE new_id = ? AND expires_at > ?`,
        newId,
        now,
      )[0];
      return number(row as SqlRow, "count");
    },
    remove(oldId: PeerId): void {
      sql.exec(`DELETE FROM aliases WHERE old_id = ?`, oldId);
    },
    /** When the first alias expires. */
    oldest: (): Millis | null => minimum(sql, `SELECT MIN(expires_at) AS at FROM aliases`),
    prune(now: Millis): void {
      sql.exec(`DELETE FROM aliases WHERE expires_at <= ?`, now);
    },
  };
}
