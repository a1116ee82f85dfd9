import type { Peer } from "../peers/peer.ts";
import type { PeerState, Protocol } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Role } from "../protocol/messages.ts";
import {
  flag,
  insertRow,
  json,
  number,
  numberOrNull,
  text,
  textOrNull,
  type Sql,
  type SqlRow,
  type SqlValue,
} from "./sql.ts";

export interface PeerFilter {
  readonly state?: PeerState | undefined;
  readonly role?: Role | undefined;
  /** Only IDs after this one. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export function peersTable(sql: Sql) {
  return {
    get(id: PeerId): Peer | null {
      const row = sql.exec(`SELECT * FROM peers WHERE id = ?`, id)[0];
      return row === undefined ? null : readPeer(row);
    },

    put(peer: Peer): void {
      const columns = writePeer(peer);
      const updates = Object.keys(columns).map((name) => `${name} = excluded.${name}`);
      insertRow(sql, "peers", columns, `ON CONFLICT (id) DO UPDATE SET ${updates.join(", ")}`);
    },

    remove(id: PeerId): void {
      sql.exec(`DELETE FROM peers WHERE id = ?`, id);
    },

    /** By ID, so that pages are stable while scores change. */
    list({ state, role, after, limit }: PeerFilter): readonly Peer[] {
      return sql
        .exec(
          `SELECT * FROM peers WHERE id > ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR role = ?3)
           ORDER BY id LIMIT ?4`,
          after ?? "",
          state ?? null,
          role ?? null,
          limit,
        )
        .map(readPeer);
    },

    connectedCount(): number {
      const row = sql.exec(
        `SELECT COUNT(*) AS count FROM peers WHERE state IN ('active', 'suspect')`,
      )[0];
      return number(row as SqlRow, "count");
    },

    /** Every peer with a live session. */
    connected(): readonly Peer[] {
      return sql.exec(`SELECT * FROM peers WHERE state IN ('active', 'suspect')`).map(readPeer);
    },
  };
}

const readPeer = (row: SqlRow): Peer => ({
  id: text(row, "id"),
  name: text(row, "name"),
  publicKey: text(row, "public_key"),
  address: text(row, "address"),
  role: text(row, "role") as Role,
  addedAt: number(row, "added_at"),
  lastSeen: numberOrNull(row, "last_seen"),
  state: text(row, "state") as PeerState,
  epoch: number(row, "epoch"),
  session: textOrNull(row, "session"),
  protocol: textOrNull(row, "protocol") as Protocol | null,
  spokeMuster2: flag(row, "spoke_muster2"),
  speaksMuster: flag(row, "speaks_muster"),
  mayAssign: flag(row, "may_assign"),
  capabilities: json(row, "capabilities"),
  slots: number(row, "slots"),
  held: number(row, "held"),
  rttMs: numberOrNull(row, "rtt_ms"),
  hops: numberOrNull(row, "hops"),
  geoKm: numberOrNull(row, "geo_km"),
  successes: number(row, "successes"),
  failures: number(row, "failures"),
  score: number(row, "score"),
});

const writePeer = (peer: Peer): Record<string, SqlValue> => ({
  id: peer.id,
  name: peer.name,
  public_key: peer.publicKey,
  address: peer.address,
  role: peer.role,
  added_at: peer.addedAt,
  last_seen: peer.lastSeen,
  state: peer.state,
  epoch: peer.epoch,
  session: peer.session,
  protocol: peer.protocol,
  spoke_muster2: Number(peer.spokeMuster2),
  speaks_muster: Number(peer.speaksMuster),
  may_assign: Number(peer.mayAssign),
  capabilities: JSON.stringify(peer.capabilities),
  slots: peer.slots,
  held: peer.held,
  rtt_ms: peer.rttMs,
  hops: peer.hops,
  geo_km: peer.geoKm,
  successes: peer.successes,
  failures: peer.failures,
  score: peer.score,
});
