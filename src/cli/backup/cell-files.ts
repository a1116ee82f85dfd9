import { existsSync } from "node:fs";
import { CELLS_MAX } from "../../cells/topology.ts";
import { number, type Sql } from "../../registry/sql.ts";
import { missingDatabase } from "../damaged-database.ts";

/**
 * The numbers of the cells of a mesh, of which each but cell 0 has a database of its own once it has begun. Throws if the database of a
 * cell is missing that has begun: what it had would be lost silently.
 *
 * @param sql the database of cell 0
 */
export function cellsIn(sql: Sql, pathOf: (cell: number) => string): readonly number[] {
  const begun = begunCells(sql);
  const missing = begun.find((cell) => !existsSync(pathOf(cell)));
  if (missing !== undefined) throw missingDatabase(pathOf(missing));
  const others = Array.from({ length: CELLS_MAX - 1 }, (_, at) => at + 1);
  return [0, ...others.filter((cell) => existsSync(pathOf(cell)))];
}

/** The cells that have taken a message of cell 0, or have sent one. The first message of each is the topology. */
function begunCells(sql: Sql): readonly number[] {
  const hasLinks = `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'cell_links'`;
  if (sql.exec(hasLinks).length === 0) return [];
  return sql
    .exec(
      `SELECT cell FROM cell_links l WHERE received > 0 OR (sent > 0
         AND NOT EXISTS (SELECT 1 FROM cell_messages m WHERE m.cell = l.cell)) ORDER BY cell`,
    )
    .map((row) => number(row, "cell"));
}
