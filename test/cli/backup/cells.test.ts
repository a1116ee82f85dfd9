/** Backups of meshes of several cells, each of which has a database of its own. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readBackupFile, NO_TARGET } from "../../../src/cli/backup/backup-file.ts";
import { importIntoMesh } from "../../../src/cli/backup/import-mesh.ts";
import { backUpFolder, hashFolder } from "../../../src/cli/backup/make-backup.ts";
import { findMeshParts, type MeshParts } from "../../../src/cli/backup/mesh-parts.ts";
import { openMeshSnapshot } from "../../../src/cli/backup/mesh-snapshot.ts";
import { databaseIn } from "../../../src/cli/backup/object-file.ts";
import { requireDatabases } from "../../../src/cli/backup/require-databases.ts";
import { restoreFolder } from "../../../src/cli/backup/restored-folder.ts";
import { secretsText } from "../../../src/cli/secrets-file.ts";
import { stateFolder, writeMeshFile } from "../../../src/cli/state-folder.ts";
import { MeshClient } from "../../../src/client/index.ts";
import { present } from "../../must.ts";
import { TestMesh } from "../../coordinator/mesh.ts";
import { nodeSql } from "../../node-sql.ts";
import { muster } from "../command-run.ts";
import { inTemporaryFolder, meshFolder, storeResult, type MeshFolder } from "./mesh-folder.ts";
import { linkedCells, TOKENS } from "./linked-cells.ts";

// Each command line of this process listens to signals.
process.setMaxListeners(0);

const CELLS = 3;
const UNSEALED = { sealTo: null, secrets: true } as const;
const blobOf = (n: number): string => n.toString(16).padStart(32, "0");

/** A mesh of three cells, each with a task and a result in the store, whose messages have all arrived. */
async function cellsFolder(dir: string): Promise<MeshFolder> {
  const folder = await meshFolder(dir);
  const { parts } = folder;
  const first = new TestMesh({ sql: folder.mesh.sql, config: { cells: CELLS } });
  first.submit();
  const { topology } = first.registry.cells;
  await storeResult({ ...folder, mesh: first }, blobOf(0));
  for (let cell = 1; cell < CELLS; cell++) {
    const database = new DatabaseSync(parts.databaseOf(cell));
    database.exec("PRAGMA journal_mode = WAL");
    const mesh = new TestMesh({ sql: nodeSql(database), seed: cell + 1 });
    mesh.registry.cells.set(cell, topology);
    await storeResult({ ...folder, mesh }, blobOf(cell));
    const [sent] = first.registry.cellMessages.next(cell);
    mesh.registry.cellMessages.setReceived(0, present(sent).seq);
    first.registry.cellMessages.taken(cell, present(sent).seq);
    database.close();
  }
  folder.database.close();
  parts.results.close();
  return folder;
}

const inFolderOfCells = (use: (folder: MeshFolder, root: string) => Promise<void>): Promise<void> =>
  inTemporaryFolder(async (root) => use(await cellsFolder(join(root, "mesh")), root));

describe("a backup of several cells", () => {
  test("CE141 has the rows and results of all cells, and a restore brings all of them back, each marked as restored", () =>
    inFolderOfCells(async ({ dir, secrets }, root) => {
      const out = join(root, "a.backup");
      const before = await hashFolder(dir);
      const { manifest, summary } = await backUpFolder(dir, { out, ...UNSEALED });
      expect(manifest).toMatchObject({ muster_backup: 2, cells: [0, 1, 2] });
      expect(summary).toMatchObject({ results: CELLS, missing_results: 0, ...hashOf(before) });
      const to = join(root, "restored");
      await writeFile(join(root, "secrets.env"), secretsText(secrets), { mode: 0o600 });
      const opener = { file: out, dir: to, opener: null, secretsFile: join(root, "secrets.env") };
      await restoreFolder(opener);
      expect(await hashFolder(to)).toEqual(before);
      const parts = present(await findMeshParts(to));
      for (let cell = 0; cell < CELLS; cell++) {
        const sql = nodeSql(new DatabaseSync(parts.databaseOf(cell)));
        const values = (query: string) => sql.exec(query).map(({ value }) => String(value));
        expect(values(`SELECT COUNT(*) AS value FROM tasks`)).toEqual([cell === 0 ? "2" : "1"]);
        expect(values(`SELECT value FROM settings WHERE key = 'restore_pending'`)).toEqual(["1"]);
        expect(
          values(`SELECT COALESCE(MAX(value), '0') AS value FROM settings WHERE key = 'cell'`),
        ).toEqual([String(cell)]);
        expect((await parts.results.read(blobOf(cell)))?.bytes).toBe(blobOf(cell).length);
      }
    }));

  test("CE141 of one cell is a file of the format of before", () =>
    inTemporaryFolder(async (root) => {
      const { dir, database } = await meshFolder(join(root, "mesh"));
      const out = join(root, "a.backup");
      await backUpFolder(dir, { out, ...UNSEALED });
      const text = await readFile(out, "utf8");
      expect(text).toMatch(/^\{"muster_backup":1,/);
      expect(text).not.toMatch(/^\{"cell"|"cells":/m);
      database.close();
    }));

  test("CE141 is refused when a cell is missing in it, stands twice or at another place", () =>
    inFolderOfCells(async ({ dir }, root) => {
      const out = join(root, "a.backup");
      await backUpFolder(dir, { out, ...UNSEALED });
      const text = await readFile(out, "utf8");
      for (const [from, to] of [
        ['"cells":[0,1,2]', '"cells":[0,1]'],
        ['"cells":[0,1,2]', '"cells":[0,1,2,3]'],
        ['"cells":[0,1,2]', '"cells":[0,2,1]'],
        ['{"cell":2,', '{"cell":1,'],
        ['{"muster_backup":2', '{"muster_backup":1'],
        [',"cells":[0,1,2]', ""],
      ] as const) {
        expect(text).toContain(from);
        await writeFile(out, text.replace(from, to));
        await expect(readBackupFile(out, NO_TARGET, null)).rejects.toMatchObject({
          code: "backup_damaged",
        });
      }
    }));

  test("CE142 is of one moment: whatever cells send each other meanwhile is in it once", () =>
    inTemporaryFolder(async (root) => {
      let folders = 0;
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(fc.nat(999)), async (choices) => {
          const { parts } = await meshFolder(join(root, `mesh-${++folders}`));
          const cells = linkedCells(parts, CELLS, () => choices.next().value ?? 0);
          // Another process goes on writing before each database is opened.
          const busy: MeshParts = {
            ...parts,
            databaseOf(cell) {
              cells.step();
              return parts.databaseOf(cell);
            },
          };
          for (let backups = 1; backups <= 20; backups++) {
            const snapshot = openMeshSnapshot(busy);
            expect(cells.tokensIn(snapshot)).toEqual(TOKENS);
            snapshot.close();
          }
          cells.close();
        }),
        { numRuns: 4 },
      );
    }));

  test("CE143 a start and a backup refuse a mesh of which the database of a cell is missing", () =>
    inFolderOfCells(async ({ dir, parts }, root) => {
      const path = parts.databaseOf(2);
      await rm(path);
      await writeMeshFile(stateFolder(dir), {
        url: "http://127.0.0.1:1",
        mesh_key: "0".repeat(64),
        auth_mode: "open",
      });
      const says = `the mesh has run, and its database ${path} does not exist`;
      const out = join(root, "a.backup");
      for (const command of [["serve", "--port", "0"], ["backup", "--out", out], ["state-hash"]]) {
        const { code, err } = await muster(...command, "--dir", dir);
        expect([code, err]).toEqual([1, expect.stringContaining(says)]);
      }
      await expect(readFile(out)).rejects.toMatchObject({ code: "ENOENT" });
    }));

  test("CE143 the database of a cell that has not begun yet is not missing; one that is damaged is named", () =>
    inTemporaryFolder(async (root) => {
      const folder = await meshFolder(join(root, "mesh"));
      new TestMesh({ sql: folder.mesh.sql, config: { cells: CELLS } }).submit();
      folder.database.close();
      const objects = join(stateFolder(folder.dir).state, "objects");
      await requireDatabases(objects, true);
      const snapshot = openMeshSnapshot(folder.parts);
      expect(snapshot.cells).toEqual([0]);
      snapshot.close();
      await writeFile(databaseIn(objects, 1), "notes\n");
      await expect(requireDatabases(objects, true)).rejects.toThrow(
        `the database ${databaseIn(objects, 1)} is damaged`,
      );
    }));

  test("CE144 is not restored over HTTP, and nothing of it is sent", () =>
    inFolderOfCells(async ({ dir }, root) => {
      const out = join(root, "a.backup");
      await backUpFolder(dir, { out, ...UNSEALED });
      const mesh = new MeshClient({
        url: "http://mesh.invalid",
        token: "t".repeat(16),
        fetch: () => expect.unreachable("the mesh is asked"),
      });
      await expect(
        importIntoMesh(mesh, { file: out, opener: null, onPart: () => {} }),
      ).rejects.toThrow("this backup has 3 cells: it can't be restored over HTTP");
    }));
});

const hashOf = ({ state_hash }: { readonly state_hash: string }) => ({ state_hash });
