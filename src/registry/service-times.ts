import type { PeerId } from "../protocol/ids.ts";
import type { PeerServiceTime } from "../scoring/service-time.ts";
import { peerAndKindOf as partsOf, peerKindKey as keyOf } from "./peer-kind-key.ts";
import { number, text, type Sql, type SqlRow } from "./sql.ts";
import { WriteBehind } from "./write-behind.ts";

/** Number of kinds whose service times are stored for one peer. Further kinds are not learned. */
const KINDS_OF_PEER_MAX = 64;

/** Service times of a peer for a kind. */
export function serviceTimesTable(sql: Sql) {
  const kept = new WriteBehind<PeerServiceTime>({
    read: (keys) =>
      sql
        .exec(
          `SELECT service_times.* FROM json_each(?) AS wanted JOIN service_times
           ON peer_id = wanted.value ->> 0 AND kind = wanted.value ->> 1`,
          JSON.stringify(keys.map(partsOf)),
        )
        .map((row) => [keyOf(text(row, "peer_id"), text(row, "kind")), readLearned(row)]),
    write(key, { meanMs, weight, at, recentMs, drift }) {
      const [peerId, kind] = partsOf(key);
      sql.exec(
        `INSERT INTO service_times (peer_id, kind, mean_ms, weight, at, recent_ms, drift)
         SELECT ?1, ?2, ?3, ?4, ?6, ?7, ?8
         WHERE EXISTS (SELECT 1 FROM service_times WHERE peer_id = ?1 AND kind = ?2)
           OR (SELECT COUNT(*) FROM service_times WHERE peer_id = ?1) < ?5
         ON CONFLICT (peer_id, kind) DO UPDATE SET mean_ms = excluded.mean_ms, weight = excluded.weight,
           at = excluded.at, recent_ms = excluded.recent_ms, drift = excluded.drift`,
        peerId,
        kind,
        meanMs,
        weight,
        KINDS_OF_PEER_MAX,
        at,
        recentMs,
        drift,
      );
    },
  });

  /** A peer's means, those with the most samples first. */
  function ofPeer(peerId: PeerId, limit: number): readonly OfKind[] {
    kept.flush();
    return sql
      .exec(
        `SELECT * FROM service_times WHERE peer_id = ? ORDER BY weight DESC, kind LIMIT ?`,
        peerId,
        limit,
      )
      .map((row) => ({ kind: text(row, "kind"), ...readLearned(row) }));
  }

  function remove(peerId: PeerId): void {
    for (const { kind } of ofPeer(peerId, KINDS_OF_PEER_MAX)) kept.wrote(keyOf(peerId, kind), null);
    sql.exec(`DELETE FROM service_times WHERE peer_id = ?`, peerId);
  }

  return {
    kept,
    ofPeer,
    remove,

    get: (peerId: PeerId, kind: string): PeerServiceTime | null => kept.get(keyOf(peerId, kind)),

    /** Reads the service times of many peers at once. */
    load: (peerIds: readonly PeerId[], kind: string): void =>
      kept.load(peerIds.map((peerId) => keyOf(peerId, kind))),

    put: (peerId: PeerId, kind: string, learned: PeerServiceTime): void =>
      kept.put(keyOf(peerId, kind), learned),

    /** Moves the rows of a peer that rotated its key to its new ID. */
    move(from: PeerId, to: PeerId): void {
      const known = ofPeer(from, KINDS_OF_PEER_MAX);
      remove(from);
      for (const { kind, ...learned } of known) kept.put(keyOf(to, kind), learned);
    },

    /** The rows of a peer have been removed or written by another table's statements, because the peer changes its cell. */
    changedCell(peerId: PeerId, kinds: readonly string[]): void {
      for (const kind of kinds) kept.forget(keyOf(peerId, kind));
    },

    /** Forgets a kind, for every peer. */
    forgetKind(kind: string): void {
      const rows = sql.exec(`DELETE FROM service_times WHERE kind = ? RETURNING peer_id`, kind);
      for (const row of rows) kept.wrote(keyOf(text(row, "peer_id"), kind), null);
    },
  };
}

export interface OfKind extends PeerServiceTime {
  readonly kind: string;
}

const readLearned = (row: SqlRow): PeerServiceTime => ({
  meanMs: number(row, "mean_ms"),
  weight: number(row, "weight"),
  at: number(row, "at"),
  recentMs: number(row, "recent_ms"),
  drift: number(row, "drift"),
});
