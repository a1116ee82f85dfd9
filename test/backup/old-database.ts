import { migrate } from "../../src/registry/migrate.ts";
import { backupTables } from "../../src/registry/backup-tables.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { nodeSql } from "../node-sql.ts";

/** A database of a schema version, with a row in every table of the truth. */
export function oldDatabase(version: number, sql: Sql = nodeSql()): Sql {
  migrate(sql, version);
  for (const { name } of backupTables(sql)) {
    const columns = sql.exec(`SELECT name, type FROM pragma_table_info('${name}')`);
    const values = columns.map(({ type }) => SAMPLES[String(type)]);
    sql.exec(
      `INSERT INTO ${name} (${columns.map((column) => column["name"]).join(", ")}) VALUES (${values.join(", ")})`,
    );
  }
  return sql;
}

const SAMPLES: Readonly<Record<string, string>> = { TEXT: `'x'`, INTEGER: "7", REAL: "0.5" };

/** How many rows each table of the truth has. */
export const rowCounts = (sql: Sql): Readonly<Record<string, number>> =>
  Object.fromEntries(
    backupTables(sql).map(({ name }) => [
      name,
      Number(sql.exec(`SELECT COUNT(*) AS count FROM ${name}`)[0]?.["count"]),
    ]),
  );
