import { number, type Sql } from "./sql.ts";

/** Turns for when many peers come back at once: each known peer has one of its own, and they have no gaps to speak of. */
export function reconnectPositionsTable(sql: Sql) {
  return {
    /** The lowest one that nobody has. */
    take(): number {
      const freed = sql.exec(
        `DELETE FROM free_slots WHERE slot = (SELECT MIN(slot) FROM free_slots) RETURNING slot`,
      )[0];
      if (freed !== undefined) return number(freed, "slot");
      const [row] = sql.exec(
        `SELECT COALESCE(MAX(slot), -1) + 1 AS slot FROM peers WHERE slot IS NOT NULL`,
      );
      return row === undefined ? 0 : number(row, "slot");
    },
    give(slot: number): void {
      sql.exec(`INSERT OR IGNORE INTO free_slots (slot) VALUES (?)`, slot);
    },
  };
}
