import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Role } from "../protocol/messages.ts";
import { json, minimum, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** A secret that adds the peer that presents it to the allowlist, a limited number of times. */
export interface JoinKey {
  readonly id: string;
  /** SHA-256 of the key, in hex. */
  readonly hash: string;
  readonly label: string;
  /** Roles of a peer that is admitted by it. */
  readonly roles: readonly Role[];
  readonly usesLeft: number;
  readonly expiresAt: Millis;
  readonly createdAt: Millis;
  readonly revokedAt: Millis | null;
}

export function joinKeysTable(sql: Sql) {
  return {
    get(id: string): JoinKey | null {
      const row = sql.exec(`SELECT * FROM join_keys WHERE id = ?`, id)[0];
      return row === undefined ? null : readKey(row);
    },
    insert(key: JoinKey): void {
      sql.exec(
        `INSERT INTO join_keys (id, hash, label, roles, uses_left, expires_at, created_at, revoked_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        key.id,
        key.hash,
        key.label,
        JSON.stringify(key.roles),
        key.usesLeft,
        key.expiresAt,
        key.createdAt,
        key.revokedAt,
      );
    },
    spend(id: string): void {
      sql.exec(`UPDATE join_keys SET uses_left = uses_left - 1 WHERE id = ?`, id);
    },
    /** Spends a use for a peer of another cell, which has no allowlist entry yet. */
    grant(id: string, peerId: PeerId): void {
      this.spend(id);
      sql.exec(`INSERT INTO join_key_grants (key_id, peer_id) VALUES (?, ?)`, id, peerId);
    },
    /** Whether a use was spent for the peer, and the peer has no entry yet. */
    isGranted(id: string, peerId: PeerId): boolean {
      return (
        sql.exec(`SELECT 1 FROM join_key_grants WHERE key_id = ? AND peer_id = ?`, id, peerId)
          .length > 0
      );
    },
    /** The peer has its entry: another use of the key would be another one. */
    forgetGrant(id: string, peerId: PeerId): void {
      sql.exec(`DELETE FROM join_key_grants WHERE key_id = ? AND peer_id = ?`, id, peerId);
    },
    revoke(id: string, now: Millis): void {
      sql.exec(`UPDATE join_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL`, now, id);
    },
    list(): readonly JoinKey[] {
      return sql.exec(`SELECT * FROM join_keys ORDER BY created_at, id`).map(readKey);
    },
    /** Keys that are still valid. */
    count(now: Millis): number {
      const row = sql.exec(
        `SELECT COUNT(*) AS count FROM join_keys WHERE revoked_at IS NULL AND uses_left > 0 AND expires_at > ?`,
        now,
      )[0];
      return number(row as SqlRow, "count");
    },
    /** When the first key expires or has expired. */
    oldest: (): Millis | null => minimum(sql, `SELECT MIN(expires_at) AS at FROM join_keys`),
    prune(expiredBefore: Millis): void {
      sql.exec(
        `DELETE FROM join_key_grants WHERE key_id IN (SELECT id FROM join_keys WHERE expires_at < ?)`,
        expiredBefore,
      );
      sql.exec(`DELETE FROM join_keys WHERE expires_at < ?`, expiredBefore);
    },
  };
}

const readKey = (row: SqlRow): JoinKey => ({
  id: text(row, "id"),
  hash: text(row, "hash"),
  label: text(row, "label"),
  roles: json(row, "roles"),
  usesLeft: number(row, "uses_left"),
  expiresAt: number(row, "expires_at"),
  createdAt: number(row, "created_at"),
  revokedAt: numberOrNull(row, "revoked_at"),
});
