import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { nodeSql } from "../node-sql.ts";

let shared: { readonly sql: Sql; readonly tables: readonly string[] } | null = null;

/**
 * The one database of all histories, emptied. Creating the tables and preparing the statements again would take longer
 * than many a history. The previous user must have finished.
 */
export function emptySharedSql(): Sql {
  shared ??= migrated();
  for (const table of shared.tables) shared.sql.exec(`DELETE FROM ${table}`);
  return shared.sql;
}

function migrated() {
  const sql = nodeSql();
  openRegistry(sql);
  const tables = sql
    .exec(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_version' AND name NOT LIKE 'sqlite%'`,
    )
    .map(({ name }) => String(name));
  return { sql, tables };
}
