import { spawnSync } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { stateOf } from "../../src/backup/write-backup.ts";
import { tablePages } from "../../src/cli/backup/database-file.ts";
import { newHash } from "../../src/cli/backup/new-hash.ts";
import { migrate, SCHEMA_VERSION, schemaVersionOf } from "../../src/registry/migrate.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { oldDatabase, rowCounts } from "../backup/old-database.ts";
import { restoredSql } from "../backup/restored-sql.ts";
import { inTemporaryFolder } from "../cli/backup/mesh-folder.ts";
import { nodeSql } from "../node-sql.ts";
import { statementsOf } from "./new-schema-module.ts";

const VERSIONS = Array.from({ length: SCHEMA_VERSION }, (_, index) => index + 1);
const hashOf = async (sql: Sql): Promise<string> =>
  (await stateOf(tablePages(sql), newHash)).state_hash;

describe("an older database", () => {
  test("BK15 of every schema version migrates to the schema of a new one, keeps its rows, and opens", () => {
    const fresh = nodeSql();
    migrate(fresh);
    for (const version of VERSIONS) {
      const sql = oldDatabase(version);
      const before = rowCounts(sql);
      migrate(sql);
      expect(statementsOf(sql), `version ${version}`).toEqual(statementsOf(fresh));
      const after = rowCounts(sql);
      for (const table of Object.keys(before))
        expect(
          after[RENAMED[table] ?? table] ?? DROPPED.has(table),
          `${table} of version ${version}`,
        ).toBeTruthy();
      expect(Object.values(before).every((rows) => rows === 1)).toBe(true);
      expect(schemaVersionOf(sql)).toBe(SCHEMA_VERSION);
      openRegistry(sql);
    }
  });

  test("BK15 a backup of every schema version is restored to the same state, and then migrates", async () => {
    for (const version of VERSIONS) {
      const sql = oldDatabase(version);
      const restored = restoredSql(sql);
      expect(schemaVersionOf(restored)).toBe(version);
      expect(await hashOf(restored), `version ${version}`).toBe(await hashOf(sql));
      migrate(restored);
      openRegistry(restored);
    }
  });

  test("BK17 a process that is killed in the middle of its migrations leaves it as it was, and it migrates at the next start", () =>
    inTemporaryFolder(async (folder) => {
      const [old, path] = [join(folder, "old.sqlite"), join(folder, "mesh.sqlite")];
      const database = new DatabaseSync(old);
      const from = oldDatabase(3, nodeSql(database));
      const before = await hashOf(from);
      database.close();
      for (const statements of [1, 20, 60, 100]) {
        await copyFile(old, path);
        const { signal } = spawnSync(process.execPath, [KILLED, path, String(statements)]);
        expect(signal).toBe("SIGKILL");
        const opened = new DatabaseSync(path);
        const sql = nodeSql(opened);
        expect(schemaVersionOf(sql)).toBe(3);
        expect(await hashOf(sql)).toBe(before);
        migrate(sql);
        expect(schemaVersionOf(sql)).toBe(SCHEMA_VERSION);
        openRegistry(sql);
        opened.close();
      }
    }));
});

const KILLED = join(import.meta.dirname, "killed-migration.ts");

/** Tables that later versions have under another name. */
const RENAMED: Readonly<Record<string, string>> = {
  hearsay: "advertised_peers",
  silences: "correlated_failures",
  kinds: "task_kinds",
};
/** Tables that later versions do not have. */
const DROPPED: ReadonlySet<string> = new Set(["free_slots"]);
