import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { PeerRows } from "./peer-bundles.ts";
import { number, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/** A peer that has left this cell for another one, which has not confirmed yet that it has it. */
export interface DepartedPeer {
  readonly peerId: PeerId;
  /** Names this departure: the other cell takes the rows once. */
  readonly token: string;
  /** The cell that asked for the peer. */
  readonly cell: number;
  readonly rows: PeerRows;
}

/** How far the peers of another cell have been fetched that belong here. */
export interface Pull {
  readonly cell: number;
  /** The version of the topology by which they belong here. */
  readonly version: number;
  /** The key after which the next page begins; null at the beginning. */
  readonly after: PeerId | null;
  /** Peers that could not be fetched in this pass. */
  readonly left: number;
  /** Whether a whole pass has found nothing left: the cell is not asked again while the topology stays. */
  readonly isDone: boolean;
  /** Peers that were left in the last whole pass; null before the first one. */
  readonly leftBefore: number | null;
}

/**
 * What commands about peers ask for, in memory: of most cells nothing has departed, and the rest seldom changes. Null: read it again.
 * Written rows are read again, and so is everything after a rollback.
 */
class MovesMemory {
  hasDeparted: boolean | null = null;
  hasSources: boolean | null = null;
  pulls: readonly Pull[] | null = null;

  begin(): void {}
  commit(): void {}
  rollback(): void {
    this.hasDeparted = this.hasSources = this.pulls = null;
  }
}

/** Moves of peers between cells. A mesh of one cell has no rows in these tables. */
export function peerMovesTable(sql: Sql) {
  const memory = new MovesMemory();
  const hasRows = (table: "departed_peers" | "peer_sources"): boolean =>
    sql.exec(`SELECT 1 FROM ${table} LIMIT 1`).length > 0;
  const pulls = (): readonly Pull[] =>
    (memory.pulls ??= sql.exec(`SELECT * FROM peer_pulls ORDER BY cell`).map(readPull));
  return {
    kept: memory,
    departed(peerId: PeerId): DepartedPeer | null {
      if (!(memory.hasDeparted ??= hasRows("departed_peers"))) return null;
      const row = sql.exec(`SELECT * FROM departed_peers WHERE peer_id = ?`, peerId)[0];
      return row === undefined ? null : readDeparted(row);
    },
    departedAfter(after: PeerId | null, limit: number): readonly DepartedPeer[] {
      return sql
        .exec(
          `SELECT * FROM departed_peers WHERE peer_id > ? ORDER BY peer_id LIMIT ?`,
          after ?? "",
          limit,
        )
        .map(readDeparted);
    },
    depart({ peerId, token, cell, rows }: DepartedPeer): void {
      memory.hasDeparted = null;
      sql.exec(
        `INSERT OR REPLACE INTO departed_peers (peer_id, token, cell, rows) VALUES (?, ?, ?, ?)`,
        peerId,
        token,
        cell,
        JSON.stringify(rows),
      );
    },
    /** The other cell has the peer. */
    confirm(token: string): void {
      memory.hasDeparted = null;
      sql.exec(`DELETE FROM departed_peers WHERE token = ?`, token);
    },
    countDeparted(): number {
      return number(sql.exec(`SELECT COUNT(*) AS count FROM departed_peers`)[0] as SqlRow, "count");
    },
    /** Whether a departure has arrived here. */
    hasArrived(token: string): boolean {
      return sql.exec(`SELECT 1 FROM arrived_peers WHERE token = ?`, token).length > 0;
    },
    arrive(token: string, peerId: PeerId, from: number, at: Millis): void {
      sql.exec(
        `INSERT OR IGNORE INTO arrived_peers (token, peer_id, cell, at) VALUES (?, ?, ?, ?)`,
        token,
        peerId,
        from,
        at,
      );
    },
    /** The departures of a peer that have arrived here. */
    arrivalsOf: (peerId: PeerId): readonly string[] =>
      sql
        .exec(`SELECT token FROM arrived_peers WHERE peer_id = ?`, peerId)
        .map((row) => text(row, "token")),
    /** Forgets arrivals of before this whose confirmations were taken. */
    pruneArrived(before: Millis): void {
      sql.exec(
        `DELETE FROM arrived_peers WHERE at < ? AND cell NOT IN (SELECT cell FROM cell_messages)`,
        before,
      );
    },
    /** Notes that a peer may be in a cell that was not its home: it has rotated its key there. */
    addSource(peerId: PeerId, cell: number, until: Millis): void {
      memory.hasSources = null;
      sql.exec(
        `INSERT OR REPLACE INTO peer_sources (peer_id, cell, until) VALUES (?, ?, ?)`,
        peerId,
        cell,
        until,
      );
    },
    sourcesOf(peerId: PeerId, now: Millis): readonly number[] {
      if (!(memory.hasSources ??= hasRows("peer_sources"))) return [];
      return sql
        .exec(`SELECT cell FROM peer_sources WHERE peer_id = ? AND until > ?`, peerId, now)
        .map((row) => number(row, "cell"));
    },
    pruneSources(now: Millis): void {
      memory.hasSources = null;
      sql.exec(`DELETE FROM peer_sources WHERE until <= ?`, now);
    },
    pull: (of: number): Pull | null => pulls().find(({ cell }) => cell === of) ?? null,
    pulls,
    setPull({ cell, version, after, left, isDone, leftBefore }: Pull): void {
      memory.pulls = null;
      sql.exec(
        `INSERT OR REPLACE INTO peer_pulls (cell, version, after_id, unmoved, done, unmoved_before) VALUES (?, ?, ?, ?, ?, ?)`,
        cell,
        version,
        after,
        left,
        Number(isDone),
        leftBefore,
      );
    },
  };
}

const readDeparted = (row: SqlRow): DepartedPeer => ({
  peerId: text(row, "peer_id"),
  token: text(row, "token"),
  cell: number(row, "cell"),
  rows: JSON.parse(text(row, "rows")) as PeerRows,
});

const readPull = (row: SqlRow): Pull => ({
  cell: number(row, "cell"),
  version: number(row, "version"),
  after: textOrNull(row, "after_id"),
  left: number(row, "unmoved"),
  isDone: number(row, "done") !== 0,
  leftBefore: row["unmoved_before"] === null ? null : number(row, "unmoved_before"),
});
