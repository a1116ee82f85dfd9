import type { CallbackRotation } from "../webhooks/index.ts";
import type { Facts } from "./facts.ts";
import { number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** Callback secrets that were rotated: their version, by owner and origin. A secret that never was has no row. */
export function callbackRotationsTable(sql: Sql, facts: Pick<Facts, "note">) {
  return {
    get(owner: string, origin: string): CallbackRotation | null {
      const row = sql.exec(
        `SELECT * FROM callback_rotations WHERE owner = ? AND origin = ?`,
        owner,
        origin,
      )[0];
      return row === undefined ? null : readRotation(row);
    },
    put({ owner, origin, version, rotatedAt, previousUntil }: CallbackRotation): void {
      sql.exec(
        `INSERT OR REPLACE INTO callback_rotations (owner, origin, version, rotated_at, previous_until) VALUES (?, ?, ?, ?, ?)`,
        owner,
        origin,
        version,
        rotatedAt,
        previousUntil,
      );
      facts.note("callback_rotations", [owner, origin]);
    },
    count(): number {
      const row = sql.exec(`SELECT COUNT(*) AS count FROM callback_rotations`)[0];
      return number(row as SqlRow, "count");
    },
    countOf(owner: string): number {
      const row = sql.exec(
        `SELECT COUNT(*) AS count FROM callback_rotations WHERE owner = ?`,
        owner,
      )[0];
      return number(row as SqlRow, "count");
    },
    /** The owner is gone and its ID is never given again: an old version can't return. */
    removeOwner(owner: string): void {
      const removed = sql.exec(
        `DELETE FROM callback_rotations WHERE owner = ? RETURNING origin`,
        owner,
      );
      for (const row of removed) facts.note("callback_rotations", [owner, text(row, "origin")]);
    },
  };
}

const readRotation = (row: SqlRow): CallbackRotation => ({
  owner: text(row, "owner"),
  origin: text(row, "origin"),
  version: number(row, "version"),
  rotatedAt: numberOrNull(row, "rotated_at"),
  previousUntil: numberOrNull(row, "previous_until"),
});
