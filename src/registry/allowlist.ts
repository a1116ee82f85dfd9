import type { Millis } from "../base/clock.ts";
import type { MeshEvent } from "../protocol/events.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Role } from "../protocol/messages.ts";
import {
  OWNER_LIMIT_COLUMNS,
  ownerLimitValues,
  readOwnerLimits,
  type OwnerLimits,
} from "./owner-limits.ts";
import { flag, json, number, text, type Sql, type SqlRow } from "./sql.ts";

/** An allowlist entry: a public key that may join, and its roles. */
export interface Allowed {
  readonly publicKey: string;
  readonly peerId: PeerId;
  readonly label: string;
  readonly roles: readonly Role[];
  /** Whether the key may use go-p2p 1.0 although it has spoken muster.2. */
  readonly goP2p: boolean;
  readonly addedAt: Millis;
  /** Of the tasks that the peer submits. */
  readonly limits: OwnerLimits;
}

interface AllowlistEvents {
  /** The limits of an owner may have changed. */
  readonly onLimits: () => void;
  /** A key has lost its entry. */
  readonly onLoss: () => void;
  /** Keeps the event of a change. */
  readonly record: (event: MeshEvent) => void;
}

export function allowlistTable(sql: Sql, { onLimits, onLoss, record }: AllowlistEvents) {
  return {
    get(publicKey: string): Allowed | null {
      const row = sql.exec(`SELECT * FROM allowlist WHERE public_key = ?`, publicKey)[0];
      return row === undefined ? null : readAllowed(row);
    },
    /** Whether the key of this peer has an entry. */
    lists(peerId: PeerId): boolean {
      return sql.exec(`SELECT 1 FROM allowlist WHERE peer_id = ? LIMIT 1`, peerId).length > 0;
    },
    count(): number {
      return number(sql.exec(`SELECT COUNT(*) AS count FROM allowlist`)[0] as SqlRow, "count");
    },
    put(entry: Allowed): void {
      if (this.get(entry.publicKey) === null)
        record({ type: "allowlist.added", peer: entry.peerId });
      sql.exec(
        `INSERT INTO allowlist (public_key, peer_id, label, roles, go_p2p, added_at, ${OWNER_LIMIT_COLUMNS})
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (public_key) DO UPDATE SET label = excluded.label, roles = excluded.roles, go_p2p = excluded.go_p2p,
           weight = excluded.weight, max_waiting = excluded.max_waiting, max_running = excluded.max_running,
           max_priority = excluded.max_priority, max_bytes = excluded.max_bytes`,
        entry.publicKey,
        entry.peerId,
        entry.label,
        JSON.stringify(entry.roles),
        Number(entry.goP2p),
        entry.addedAt,
        ...ownerLimitValues(entry.limits),
      );
      onLimits();
    },
    /** True when there was an entry. */
    remove(publicKey: string): boolean {
      onLimits();
      onLoss();
      const [removed] = sql.exec(
        `DELETE FROM allowlist WHERE public_key = ? RETURNING peer_id`,
        publicKey,
      );
      if (removed === undefined) return false;
      record({ type: "allowlist.removed", peer: text(removed, "peer_id") });
      return true;
    },
    list(): readonly Allowed[] {
      return sql.exec(`SELECT * FROM allowlist ORDER BY added_at, public_key`).map(readAllowed);
    },
  };
}

const readAllowed = (row: SqlRow): Allowed => ({
  publicKey: text(row, "public_key"),
  peerId: text(row, "peer_id"),
  label: text(row, "label"),
  roles: json(row, "roles"),
  goP2p: flag(row, "go_p2p"),
  addedAt: number(row, "added_at"),
  limits: readOwnerLimits(row),
});
