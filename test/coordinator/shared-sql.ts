import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { nodeSql } from "../node-sql.ts";

interface Database {
  readonly sql: Sql;
  readonly tables: readonly string[];
}

const shared: Database[] = [];

/**
 * A database of all histories, emptied: of a mesh of several cells each cell has one. Creating the tables and preparing the statements again
 * would take longer than many a history. The previous user must have finished.
 */
export function emptySharedSql(cell = 0): Sql {
  while (shared.length <= cell) shared.push(migrated());
  const { sql, tables } = shared[cell] as Database;
  for (const table of tables) sql.exec(`DELETE FROM ${table}`);
  return sql;
}

function migrated(): Database {
  const sql = nodeSql();
  openRegistry(sql);
  const tables = sql
    .exec(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_version' AND name NOT LIKE 'sqlite%'`,
    )
    .map(({ name }) => String(name));
  return { sql, tables };
}
