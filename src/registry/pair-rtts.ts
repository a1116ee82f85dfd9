import type { PeerId } from "../protocol/ids.ts";
import type { Observed } from "../scoring/pair-rtt.ts";
import { json, number, type Sql } from "./sql.ts";

/** Round trips between peers: the last samples of each reported pair. */
export function pairRttsTable(sql: Sql) {
  return {
    get(from: PeerId, to: PeerId): Observed | null {
      const row = sql.exec(
        `SELECT samples, observed_at FROM pair_rtts WHERE from_id = ? AND to_id = ?`,
        from,
        to,
      )[0];
      if (row === undefined) return null;
      return { samples: json(row, "samples"), at: number(row, "observed_at") };
    },

    put(from: PeerId, to: PeerId, { samples, at }: Observed): void {
      sql.exec(
        `INSERT OR REPLACE INTO pair_rtts (from_id, to_id, samples, observed_at) VALUES (?, ?, ?, ?)`,
        from,
        to,
        JSON.stringify(samples),
        at,
      );
    },

    /** Keeps so many pairs of a peer, those that it reported last. */
    trim(from: PeerId, kept: number): void {
      sql.exec(
        `DELETE FROM pair_rtts WHERE from_id = ?1 AND to_id IN (
           SELECT to_id FROM pair_rtts WHERE from_id = ?1 ORDER BY observed_at DESC, to_id LIMIT -1 OFFSET ?2)`,
        from,
        kept,
      );
    },

    /** Removes every pair from or to the peer. */
    remove(id: PeerId): void {
      sql.exec(`DELETE FROM pair_rtts WHERE from_id = ?1 OR to_id = ?1`, id);
    },

    /** Moves the rows of a peer that rotated its key to its new ID. */
    handOver(from: PeerId, to: PeerId): void {
      sql.exec(`UPDATE OR REPLACE pair_rtts SET from_id = ? WHERE from_id = ?`, to, from);
      sql.exec(`UPDATE OR REPLACE pair_rtts SET to_id = ? WHERE to_id = ?`, to, from);
    },
  };
}
