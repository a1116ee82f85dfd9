import { markRestored } from "../../src/registry/after-restore.ts";
import { restoreRows } from "../../src/registry/backup-tables.ts";
import { migrate, schemaVersionOf } from "../../src/registry/migrate.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { tablePages } from "../../src/cli/backup/database-file.ts";
import { nodeSql } from "../node-sql.ts";

/** A new database with the truth of another, as `muster restore` makes it. */
export function restoredSql(sql: Sql): Sql {
  const restored = nodeSql();
  migrate(restored, schemaVersionOf(sql));
  for (const { table, columns, rows } of tablePages(sql))
    restoreRows(restored, { name: table, columns }, rows);
  markRestored(restored);
  return restored;
}
