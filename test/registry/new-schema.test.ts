import { expect, test } from "vitest";
import { MIGRATIONS } from "../../src/registry/migrations.ts";
import { migrate, SCHEMA_VERSION, schemaVersionOf } from "../../src/registry/migrate.ts";
import { rowCounts } from "../backup/old-database.ts";
import { nodeSql } from "../node-sql.ts";
import { newSchemaModule, statementsOf } from "./new-schema-module.ts";

/** An empty database that ran every migration in its turn. */
function migrated() {
  const sql = nodeSql();
  for (const statements of MIGRATIONS) for (const statement of statements) sql.exec(statement);
  return sql;
}

test("BK49 a new database has the tables and indexes that all migrations make, and their rows: none", async () => {
  const expected = migrated();
  await expect(newSchemaModule(statementsOf(expected))).toMatchFileSnapshot(
    "../../src/registry/new-schema.ts",
  );
  const sql = nodeSql();
  migrate(sql);
  expect(schemaVersionOf(sql)).toBe(SCHEMA_VERSION);
  const { schema_version: _, ...rows } = rowCounts(sql);
  expect(rows).toEqual(rowCounts(expected));
  sql.exec("DROP TABLE schema_version");
  expect(statementsOf(sql)).toEqual(statementsOf(expected));
});
