import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Coordinate } from "../scoring/vivaldi.ts";
import { json, number, type Sql } from "./sql.ts";

export interface Located extends Coordinate {
  /** When a report last moved the coordinates. */
  readonly updatedAt: Millis;
}

/** Network coordinates of peers that have reported round trips. */
export function coordinatesTable(sql: Sql) {
  return {
    get(id: PeerId): Located | null {
      const row = sql.exec(`SELECT * FROM coordinates WHERE peer_id = ?`, id)[0];
      if (row === undefined) return null;
      return {
        vector: json(row, "vector"),
        height: number(row, "height"),
        adjustment: number(row, "adjustment"),
        error: number(row, "error"),
        residuals: json(row, "residuals"),
        updatedAt: number(row, "updated_at"),
      };
    },

    put(
      id: PeerId,
      { vector, height, adjustment, error, residuals }: Coordinate,
      now: Millis,
    ): void {
      sql.exec(
        `INSERT OR REPLACE INTO coordinates (peer_id, vector, height, adjustment, error, residuals, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        id,
        JSON.stringify(vector),
        height,
        adjustment,
        error,
        JSON.stringify(residuals),
        now,
      );
    },

    remove(id: PeerId): void {
      sql.exec(`DELETE FROM coordinates WHERE peer_id = ?`, id);
    },

    /** Moves the rows of a peer that rotated its key to its new ID. */
    handOver(from: PeerId, to: PeerId): void {
      sql.exec(`UPDATE OR REPLACE coordinates SET peer_id = ? WHERE peer_id = ?`, to, from);
    },
  };
}
