import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { nodeSql } from "../node-sql.ts";

interface Database {
  readonly sql: Sql;
  readonly tables: readonly string[];
}

let shared: Database | null = null;

/**
 * The database of all histories of one cell, emptied. Creating the tables and preparing the statements again would take longer than many a
 * history. The previous user must have finished: a mesh of one cell does nothing by itself.
 */
export const emptySharedSql = (): Sql => emptied((shared ??= migrated()));

/** Databases that nobody uses. */
const unused: Database[] = [];
const taken = new WeakMap<Sql, Database>();

/** An empty database, which `giveBackSql` takes back. */
export function takeSql(): Sql {
  const database = unused.pop() ?? migrated();
  taken.set(database.sql, database);
  return emptied(database);
}

/** Takes back a database that nobody uses any more. */
export function giveBackSql(sql: Sql): void {
  const database = taken.get(sql);
  if (database === undefined || !taken.delete(sql)) throw new Error("it was not taken");
  unused.push(database);
}

function emptied({ sql, tables }: Database): Sql {
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
