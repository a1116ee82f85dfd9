import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { nodeSql } from "../node-sql.ts";

interface Database {
  readonly sql: Sql;
  readonly tables: readonly string[];
}

const databases: Database[] = [];

/** The databases of a mesh's cells, emptied: making the tables anew takes longer than many a history. The previous mesh must have ended. */
export function emptyDatabase(cell: number): Sql {
  while (databases.length <= cell) databases.push(newDatabase());
  const { sql, tables } = databases[cell] as Database;
  for (const table of tables) sql.exec(`DELETE FROM ${table}`);
  return sql;
}

function newDatabase(): Database {
  const sql = nodeSql();
  openRegistry(sql);
  const tables = sql
    .exec(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_version' AND name NOT LIKE 'sqlite%'`,
    )
    .map(({ name }) => String(name));
  return { sql, tables };
}
