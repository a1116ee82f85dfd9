import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readBackupFile, NO_TARGET } from "../../src/cli/backup/backup-file.ts";
import { hashFolder } from "../../src/cli/backup/make-backup.ts";
import { findMeshParts } from "../../src/cli/backup/mesh-parts.ts";
import { restoreFolder } from "../../src/cli/backup/restored-folder.ts";
import { stateFolder } from "../../src/cli/state-folder.ts";
import { migrate, SCHEMA_VERSION, schemaVersionOf } from "../../src/registry/migrate.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { SqlRow } from "../../src/registry/sql.ts";
import { inTemporaryFolder } from "../cli/backup/mesh-folder.ts";
import {
  EARLIER_BACKUPS,
  EARLIER_FOLDERS,
  EARLIER_SERVE,
  earlierMesh,
  unpackEarlier,
} from "../earlier-mesh.ts";
import { present } from "../must.ts";
import { nodeSql } from "../node-sql.ts";

/** Rows as the script that made the folders wrote them: one JSON text each, in the order of these. */
const linesOf = (rows: readonly SqlRow[]): string[] =>
  rows.map((row) => JSON.stringify(row)).toSorted();

async function databaseOf(dir: string): Promise<DatabaseSync> {
  const { database, results } = present(await findMeshParts(dir));
  results.close();
  return new DatabaseSync(database);
}

describe("a folder that an earlier version has written", () => {
  test.each(EARLIER_FOLDERS)(
    "BK15 %s has the rows that the earlier version recorded, and migrates with each of them",
    (name) =>
      inTemporaryFolder(async (folder) => {
        const earlier = await earlierMesh(name);
        const database = await databaseOf(await unpackEarlier(name, folder));
        const sql = nodeSql(database);
        expect(schemaVersionOf(sql)).toBe(earlier.schema);
        const before: Record<string, SqlRow[]> = {};
        for (const [table, { rows, sha256 }] of Object.entries(earlier.rows)) {
          const found = (before[table] = [...sql.exec(`SELECT * FROM ${table}`)]);
          expect([table, found.length]).toEqual([table, rows]);
          const digest = createHash("sha256").update(linesOf(found).join("\n")).digest("hex");
          expect([table, digest]).toEqual([table, sha256]);
        }
        migrate(sql);
        expect(schemaVersionOf(sql)).toBe(SCHEMA_VERSION);
        openRegistry(sql);
        for (const [table, rows] of Object.entries(before)) {
          if (rows.length === 0 || MADE_AGAIN.has(table)) continue;
          const names = Object.keys(present(rows[0]));
          const now = RENAMED[table] ?? table;
          const columns = names.filter((column) => !CHANGED.has(`${table}.${column}`));
          const after = sql.exec(`SELECT ${columns.join(", ")} FROM ${now}`);
          expect(after.length, table).toBe(rows.length);
          const kept = rows.map((row) =>
            Object.fromEntries(columns.map((column) => [column, row[column] ?? null])),
          );
          expect(linesOf(after), table).toEqual(linesOf(kept));
        }
        database.close();
      }),
  );

  test("BK6 has the state hash that the earlier version recorded", () =>
    inTemporaryFolder(async (folder) => {
      const name = EARLIER_SERVE;
      const { state_hash } = await earlierMesh(name);
      expect((await hashFolder(await unpackEarlier(name, folder))).state_hash).toBe(state_hash);
    }));
});

describe("a backup that an earlier version has made", () => {
  test("BK15 sealed or not, is whole, and restored to the state that the earlier version recorded", () =>
    inTemporaryFolder(async (folder) => {
      const name = EARLIER_SERVE;
      const earlier = await earlierMesh(name);
      const opener = { passphrase: present(earlier.backup).passphrase };
      const plain = join(folder, "plain.backup");
      await writeFile(plain, gunzipSync(await readFile(`${EARLIER_BACKUPS}.plain.backup.gz`)));
      const sealed = `${EARLIER_BACKUPS}.sealed.backup`;
      const { root } = stateFolder(await unpackEarlier(name, folder));
      const files = [
        { file: sealed, opener, secretsFile: undefined },
        { file: plain, opener: null, secretsFile: stateFolder(root).secrets },
      ];
      for (const { file, opener: opens, secretsFile } of files) {
        const { summary } = await readBackupFile(file, NO_TARGET, opens);
        expect(summary).toEqual(earlier.backup?.summary);
        const dir = join(folder, secretsFile === undefined ? "from-sealed" : "from-plain");
        await restoreFolder({ file, dir, opener: opens, secretsFile });
        expect(await hashFolder(dir)).toMatchObject({
          schema: earlier.schema,
          state_hash: earlier.state_hash,
        });
        expect(await readFile(stateFolder(dir).secrets, "utf8")).toContain(earlier.admin_token);
      }
    }));
});

/** Tables that later versions have under another name. */
const RENAMED: Readonly<Record<string, string>> = {
  hearsay: "advertised_peers",
  silences: "correlated_failures",
  kinds: "task_kinds",
};
/** Columns that a migration drops or fills anew: records are published again, and reconnect positions are not stored any more. */
const CHANGED: ReadonlySet<string> = new Set(["outbox.due_at", "peers.slot"]);
/** Tables that are made again: pointers of before discovery had epochs. */
const MADE_AGAIN: ReadonlySet<string> = new Set(["schema_version", "pointers"]);
