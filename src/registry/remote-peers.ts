import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { PeerRecord } from "../protocol/peer-record.ts";
import {
  flag,
  insertRow,
  number,
  numberOrNull,
  text,
  textOrNull,
  type Sql,
  type SqlRow,
} from "./sql.ts";

/** What cell 0 knows of a peer of another cell. */
export interface RemotePeer {
  readonly peerId: PeerId;
  readonly cell: number;
  /** The epoch of its newest session. */
  readonly session: number;
  /** Whether its key is on the allowlist. */
  readonly listed: boolean;
  /** What is published of it; null if nothing is. */
  readonly record: PeerRecord | null;
  /** When it was withdrawn for good; null while its session is open. */
  readonly endedAt: Millis | null;
}

/** In cell 0: peers that are connected to other cells, and those that were withdrawn for good a short time ago. */
export function remotePeersTable(sql: Sql) {
  return {
    get(peerId: PeerId): RemotePeer | null {
      const row = sql.exec(`SELECT * FROM remote_peers WHERE peer_id = ?`, peerId)[0];
      return row === undefined ? null : readRow(row);
    },
    put({ peerId, cell, session, listed, record, endedAt }: RemotePeer): void {
      insertRow(
        sql,
        "remote_peers",
        {
          peer_id: peerId,
          cell,
          session,
          listed: Number(listed),
          record: record === null ? null : JSON.stringify(record),
          ended_at: endedAt,
        },
        `ON CONFLICT (peer_id) DO UPDATE SET cell = excluded.cell, session = excluded.session,
           listed = excluded.listed, record = excluded.record, ended_at = excluded.ended_at`,
      );
    },
    remove(peerId: PeerId): void {
      sql.exec(`DELETE FROM remote_peers WHERE peer_id = ?`, peerId);
    },
    /** Forgets peers that were withdrawn before this. */
    removeEndedBefore(before: Millis): void {
      sql.exec(`DELETE FROM remote_peers WHERE ended_at IS NOT NULL AND ended_at < ?`, before);
    },
    /** The connected peers whose keys are not on the allowlist. */
    strangers: (): readonly PeerId[] =>
      sql
        .exec(`SELECT peer_id FROM remote_peers WHERE listed = 0 AND ended_at IS NULL`)
        .map((row) => text(row, "peer_id")),
    /** How many of them are connected. */
    counts(): { readonly peers: number; readonly strangers: number } {
      const row = sql.exec(
        `SELECT COUNT(*) AS peers, COUNT(*) FILTER (WHERE listed = 0) AS strangers FROM remote_peers WHERE ended_at IS NULL`,
      )[0] as SqlRow;
      return { peers: number(row, "peers"), strangers: number(row, "strangers") };
    },
  };
}

function readRow(row: SqlRow): RemotePeer {
  const record = textOrNull(row, "record");
  return {
    peerId: text(row, "peer_id"),
    cell: number(row, "cell"),
    session: number(row, "session"),
    listed: flag(row, "listed"),
    record: record === null ? null : (JSON.parse(record) as PeerRecord),
    endedAt: numberOrNull(row, "ended_at"),
  };
}
