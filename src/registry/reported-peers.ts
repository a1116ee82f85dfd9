import type { DialRef } from "../peers/dial.ts";
import type { PeerId } from "../protocol/ids.ts";
import { flag, insertRow, number, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/** What a cell has told cell 0 of a peer. */
export interface ReportedPeer {
  readonly peerId: PeerId;
  /** The epoch of the session that cell 0 was told of last; 0 if it was told of none. */
  readonly session: number;
  /** A hash of what it was told of the session. */
  readonly digest: string;
  /** The dial that led to a session, with that session's epoch. */
  readonly dial: (DialRef & { readonly session: number }) | null;
  /** Why the peer disconnected last, for people. */
  readonly reason: string;
  /** Whether it may reconnect in a moment. */
  readonly lingers: boolean;
  /** Whether cell 0 was told that the session ended. */
  readonly hasLeft: boolean;
  /** The number of the last message about it. */
  readonly seq: number;
}

export const NOT_REPORTED = {
  session: 0,
  digest: "",
  dial: null,
  reason: "",
  lingers: false,
  hasLeft: false,
  seq: 0,
} as const satisfies Omit<ReportedPeer, "peerId">;

/** In the other cells than cell 0: the peers of which cell 0 was told, until it has taken that they left. */
export function reportedPeersTable(sql: Sql) {
  return {
    get(peerId: PeerId): ReportedPeer | null {
      const row = sql.exec(`SELECT * FROM reported_peers WHERE peer_id = ?`, peerId)[0];
      return row === undefined ? null : readRow(row);
    },
    put(reported: ReportedPeer): void {
      const { peerId, session, digest, dial, reason, lingers, hasLeft, seq } = reported;
      insertRow(
        sql,
        "reported_peers",
        {
          peer_id: peerId,
          session,
          digest,
          dial: dial === null ? null : JSON.stringify(dial),
          reason,
          lingers: Number(lingers),
          has_left: Number(hasLeft),
          seq,
        },
        `ON CONFLICT (peer_id) DO UPDATE SET session = excluded.session, digest = excluded.digest, dial = excluded.dial,
           reason = excluded.reason, lingers = excluded.lingers, has_left = excluded.has_left, seq = excluded.seq`,
      );
    },
    remove(peerId: PeerId): void {
      sql.exec(`DELETE FROM reported_peers WHERE peer_id = ?`, peerId);
    },
    /** Forgets the peers of which cell 0 has taken that they left. */
    removeLeft(upTo: number): void {
      sql.exec(`DELETE FROM reported_peers WHERE has_left = 1 AND seq <= ?`, upTo);
    },
    all: (): readonly PeerId[] =>
      sql.exec(`SELECT peer_id FROM reported_peers`).map((row) => text(row, "peer_id")),
    any: (): boolean => sql.exec(`SELECT 1 FROM reported_peers LIMIT 1`).length > 0,
  };
}

function readRow(row: SqlRow): ReportedPeer {
  const dial = textOrNull(row, "dial");
  return {
    peerId: text(row, "peer_id"),
    session: number(row, "session"),
    digest: text(row, "digest"),
    dial: dial === null ? null : (JSON.parse(dial) as ReportedPeer["dial"]),
    reason: text(row, "reason"),
    lingers: flag(row, "lingers"),
    hasLeft: flag(row, "has_left"),
    seq: number(row, "seq"),
  };
}
