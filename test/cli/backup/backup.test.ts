import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toHex } from "../../../src/base/bytes.ts";
import { NO_TARGET, readBackupFile } from "../../../src/cli/backup/backup-file.ts";
import { ConsistentRead } from "../../../src/cli/backup/consistent-read.ts";
import { openSnapshot, type Snapshot } from "../../../src/cli/backup/database-file.ts";
import { backUpFolder, hashFolder } from "../../../src/cli/backup/make-backup.ts";
import { findMeshParts } from "../../../src/cli/backup/mesh-parts.ts";
import type { ResultFiles } from "../../../src/cli/backup/result-files.ts";
import { restoreFolder } from "../../../src/cli/backup/restored-folder.ts";
import {
  refuseNewerFolder,
  THIS_VERSION,
  writeFolderVersion,
} from "../../../src/cli/folder-version.ts";
import { MUSTER_VERSION } from "../../../src/protocol/version.ts";
import { SCHEMA_VERSION } from "../../../src/registry/migrate.ts";
import {
  meshKeyOf,
  newSecrets,
  stateFolder,
  writeMeshFile,
} from "../../../src/cli/state-folder.ts";
import { secretsText } from "../../../src/cli/secrets-file.ts";
import { newKeyPair } from "../../../src/crypto/key-pairs.ts";
import { backupTables, DERIVED_TABLES } from "../../../src/registry/backup-tables.ts";
import { present } from "../../must.ts";
import { KEYS, TestMesh } from "../../coordinator/mesh.ts";
import { seededNumbers, seededRandom } from "../../random.ts";
import { contentOf, inTemporaryFolder, meshFolder, storeResult } from "./mesh-folder.ts";

const [A] = KEYS;
const blobOf = (n: number): string => n.toString(16).padStart(32, "0");
const PASSPHRASE = { passphrase: "correct horse" };
const UNSEALED = { sealTo: null, secrets: true } as const;

describe("a backup of a running mesh", () => {
  test("BK1 holds every result that its rows name, however the mesh adds and deletes tasks meanwhile", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const mesh = new ChangingMesh(seed);
      const reader = new ConsistentRead(mesh.open, mesh.files);
      const copied = new Set<string>();
      for await (const { id } of reader.results()) copied.add(id);
      const named = reader.snapshot.resultIds();
      expect(named.filter((id) => !copied.has(id))).toEqual([]);
      expect(reader.missing()).toBe(0);
      reader.close();
      expect(mesh.openSnapshots).toBe(0);
    }
  });

  test("BK1 counts a result that the mesh itself has lost, and goes on", async () => {
    const lost = blobOf(7);
    const open = (): Snapshot => ({ ...EMPTY_SNAPSHOT, resultIds: () => [lost] });
    const files = { ...NO_FILES, read: () => Promise.resolve(null) };
    const reader = new ConsistentRead(open, files);
    for await (const { id } of reader.results()) expect.unreachable(id);
    expect(reader.missing()).toBe(1);
  });

  test("BK1 is that of one moment: what another process commits after it began is not in it", () =>
    inTemporaryFolder(async (folder) => {
      const { mesh, dir, database } = await meshFolder(join(folder, "mesh"));
      mesh.join(A);
      mesh.submit();
      mesh.registry.measurements.flush();
      const before = await hashFolder(dir);
      const snapshot = openSnapshot(present(await findMeshParts(dir)).database);
      const pages = snapshot.tables();
      const tasks: unknown[] = [];
      for (const { table, rows } of pages) {
        mesh.submit();
        mesh.runFor(1_000);
        if (table === "tasks") tasks.push(...rows);
      }
      expect(tasks).toHaveLength(1);
      snapshot.close();
      expect((await hashFolder(dir)).state_hash).not.toBe(before.state_hash);
      database.close();
    }));

  test("BK2 has every table but those that a mesh makes again", () => {
    const { sql } = new TestMesh();
    const all = sql
      .exec(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`)
      .map(({ name }) => String(name));
    const saved = backupTables(sql).map(({ name }) => name);
    expect([...saved, ...DERIVED_TABLES].toSorted()).toEqual(all.toSorted());
  });

  test("BK4 is a new file that only its owner can read, and no file is overwritten", () =>
    inTemporaryFolder(async (folder) => {
      const { dir, database } = await meshFolder(join(folder, "mesh"));
      const out = join(folder, "a.backup");
      await backUpFolder(dir, { out, ...UNSEALED });
      expect((await stat(out)).mode & 0o777).toBe(0o600);
      const before = await readFile(out);
      await expect(backUpFolder(dir, { out, ...UNSEALED })).rejects.toThrow("exists already");
      expect(await readFile(out)).toEqual(before);
      database.close();
    }));

  test("BK4 one that fails leaves no file", () =>
    inTemporaryFolder(async (folder) => {
      const { dir, database, mesh } = await meshFolder(join(folder, "mesh"));
      mesh.sql.exec(
        `INSERT INTO task_kinds (kind, mean_ms, weight, used_at) VALUES ('x', 1e999, 1, 1)`,
      );
      const out = join(folder, "a.backup");
      await expect(backUpFolder(dir, { out, ...UNSEALED })).rejects.toThrow("not finite");
      expect(await readdir(folder)).toEqual(["mesh"]);
      database.close();
    }));

  test("BK5 has the secrets of the mesh only if it is sealed, and not if that is not wanted", () =>
    inTemporaryFolder(async (folder) => {
      const { dir, database, secrets } = await meshFolder(join(folder, "mesh"));
      for (const [name, sealTo, wanted, has] of [
        ["plain", null, true, false],
        ["sealed", PASSPHRASE, true, true],
        ["without", PASSPHRASE, false, false],
      ] as const) {
        const out = join(folder, name);
        const made = await backUpFolder(dir, { out, sealTo, secrets: wanted });
        expect(made.manifest.secrets !== null, name).toBe(has);
        const bytes = await readFile(out, "latin1");
        for (const secret of Object.values(secrets)) expect(bytes).not.toContain(secret);
      }
      database.close();
    }));
});

describe("a restore", () => {
  test("BK6 BK7 gives a folder whose mesh has the same state hash, the same results and the same secrets", () =>
    inTemporaryFolder(async (folder) => {
      const source = await meshFolder(join(folder, "mesh"));
      const { mesh, dir, database } = source;
      mesh.join(A);
      mesh.run("set_auth_mode", { mode: "allowlist" });
      for (let n = 1; n <= 3; n++) await storeResult(source, blobOf(n));
      await source.parts.results.write(blobOf(9), contentOf("of no task"));
      source.parts.results.close();
      mesh.registry.measurements.flush();
      const key = newKeyPair(seededRandom(5));
      for (const [name, sealTo, opener] of [
        ["by passphrase", PASSPHRASE, PASSPHRASE],
        ["by key", { publicKeys: [key.publicKey] }, { privateKey: key.privateKey }],
      ] as const) {
        const [file, to] = [join(folder, `${name}.backup`), join(folder, name)];
        const { summary } = await backUpFolder(dir, { out: file, sealTo, secrets: true });
        await restoreFolder({ file, dir: to, opener, secretsFile: undefined });
        const { state_hash: hash } = await hashFolder(dir);
        expect(summary.state_hash).toBe(hash);
        expect((await hashFolder(to)).state_hash).toBe(hash);
        const parts = present(await findMeshParts(to));
        for (let n = 1; n <= 3; n++)
          expect(await parts.results.read(blobOf(n))).toMatchObject({ bytes: 32 });
        expect(await parts.results.read(blobOf(9))).toBeNull();
        parts.results.close();
        expect(await readFile(stateFolder(to).secrets, "utf8")).toBe(
          await readFile(stateFolder(dir).secrets, "utf8"),
        );
        expect((await stat(to)).mode & 0o777).toBe(0o700);
        expect((await stat(stateFolder(to).secrets)).mode & 0o777).toBe(0o600);
      }
      database.close();
    }));

  test("BK8 is refused where a folder is not empty, and an empty one is used", () =>
    inTemporaryFolder(async (folder) => {
      const { dir, database } = await meshFolder(join(folder, "mesh"));
      const file = join(folder, "a.backup");
      await backUpFolder(dir, { out: file, sealTo: PASSPHRASE, secrets: true });
      const restoring = (to: string) =>
        restoreFolder({ file, dir: to, opener: PASSPHRASE, secretsFile: undefined });
      await expect(restoring(dir)).rejects.toThrow("is not empty");
      await mkdir(join(folder, "empty"));
      await restoring(join(folder, "empty"));
      await expect(restoring(join(folder, "empty"))).rejects.toThrow("is not empty");
      database.close();
    }));

  test("BK8 of a file that is cut off or changed leaves nothing, wherever it is cut", () =>
    inTemporaryFolder(async (folder) => {
      const source = await meshFolder(join(folder, "mesh"));
      await storeResult(source, blobOf(1));
      source.parts.results.close();
      const file = join(folder, "a.backup");
      await backUpFolder(source.dir, { out: file, ...UNSEALED });
      const bytes = await readFile(file);
      const before = (await readdir(folder)).toSorted();
      const random = seededNumbers(3);
      for (let n = 0; n < 25; n++) {
        const at = Math.floor(random() * bytes.length);
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8));
        await writeFile(file, n % 2 === 0 ? bytes.subarray(0, at) : changed);
        await expect(
          restoreFolder({
            file,
            dir: join(folder, "to"),
            opener: null,
            secretsFile: stateFolder(source.dir).secrets,
          }),
        ).rejects.toMatchObject({ code: expect.stringMatching(/^backup_/) });
        expect((await readdir(folder)).toSorted()).toEqual(before);
      }
      source.database.close();
    }));

  test("BK9 of a backup without secrets needs those of the same mesh", () =>
    inTemporaryFolder(async (folder) => {
      const { dir, database } = await meshFolder(join(folder, "mesh"));
      const other = await meshFolder(join(folder, "other"));
      const file = join(folder, "a.backup");
      await backUpFolder(dir, { out: file, ...UNSEALED });
      const to = join(folder, "to");
      const restoring = (secretsFile: string | undefined) =>
        restoreFolder({ file, dir: to, opener: null, secretsFile });
      await expect(restoring(undefined)).rejects.toThrow("does not have the secrets");
      await expect(restoring(stateFolder(other.dir).secrets)).rejects.toThrow("of another mesh");
      await restoring(stateFolder(dir).secrets);
      for (const each of [database, other.database]) each.close();
    }));

  test("BK7 a table or a column that the schema version does not have reaches no statement", () =>
    inTemporaryFolder(async (folder) => {
      const { dir, database } = await meshFolder(join(folder, "mesh"));
      database.exec(`CREATE TABLE zz_of_another (id TEXT PRIMARY KEY)`);
      const file = join(folder, "a.backup");
      await backUpFolder(dir, { out: file, ...UNSEALED });
      const secretsFile = stateFolder(dir).secrets;
      await expect(
        restoreFolder({ file, dir: join(folder, "to"), opener: null, secretsFile }),
      ).rejects.toMatchObject({ code: "backup_damaged" });
      database.close();
    }));

  test("BK16 of a backup of a newer Muster is refused by name", () =>
    inTemporaryFolder(async (folder) => {
      const { dir, database } = await meshFolder(join(folder, "mesh"));
      database.exec(`UPDATE schema_version SET version = 9999`);
      const file = join(folder, "a.backup");
      await backUpFolder(dir, { out: file, ...UNSEALED });
      const secretsFile = stateFolder(dir).secrets;
      const restoring = restoreFolder({ file, dir: join(folder, "to"), opener: null, secretsFile });
      await expect(restoring).rejects.toMatchObject({ code: "backup_newer" });
      await expect(restoring).rejects.toThrow("schema version 9999");
      expect((await readBackupFile(file, NO_TARGET, null)).manifest.schema).toBe(9_999);
      database.close();
    }));

  test("BK7 restored results have the form in which the store of a mesh reads them", () =>
    inTemporaryFolder(async (folder) => {
      const source = await meshFolder(join(folder, "mesh"));
      const { results } = source.parts;
      const large = toHex(seededRandom(1)(1_500_000));
      await results.write(blobOf(2), contentOf(large));
      results.close();
      const read = present(await results.read(blobOf(2)));
      const parts: Uint8Array[] = [];
      for await (const part of read.content) parts.push(part);
      expect(Buffer.concat(parts).toString()).toBe(large);
      results.close();
      source.database.close();
    }));

  test("BK5 says that the secrets are not in it where the mesh gets some of them from elsewhere", () =>
    inTemporaryFolder(async (folder) => {
      const { dir, database, secrets } = await meshFolder(join(folder, "mesh"));
      const { secrets: path } = stateFolder(dir);
      await writeFile(path, `ADMIN_TOKEN=${secrets.ADMIN_TOKEN}\n`, { mode: 0o600 });
      const making = (out: string) =>
        backUpFolder(dir, { out: join(folder, out), sealTo: PASSPHRASE, secrets: true });
      await expect(making("a")).rejects.toThrow("the key of the mesh is not known");
      const mesh_key = meshKeyOf(secrets);
      await writeMeshFile(stateFolder(dir), { url: "http://127.0.0.1:1", mesh_key });
      expect((await making("b")).manifest).toMatchObject({ mesh_key, secrets: null });
      await writeFile(path, secretsText(newSecrets()), { mode: 0o600 });
      expect((await making("c")).manifest).toMatchObject({ mesh_key, secrets: null });
      database.close();
    }));

  test("BK1 a folder without a mesh is named", () =>
    inTemporaryFolder(async (folder) => {
      await expect(backUpFolder(folder, { out: join(folder, "x"), ...UNSEALED })).rejects.toThrow(
        "has no mesh",
      );
    }));
});

describe("the folder of a mesh", () => {
  test("BK16 that a newer Muster has written is refused with both versions, and is not changed", () =>
    inTemporaryFolder(async (dir) => {
      const folder = stateFolder(dir);
      await refuseNewerFolder(folder);
      await writeFolderVersion(folder, { muster: "9.8.7", schema: SCHEMA_VERSION + 1 });
      const before = await readFile(folder.version, "utf8");
      const refused = await refuseNewerFolder(folder).catch((error: unknown) => String(error));
      for (const part of ["9.8.7", MUSTER_VERSION, `${SCHEMA_VERSION + 1}`, `${SCHEMA_VERSION}`])
        expect(refused).toContain(part);
      expect(await readdir(dir)).toEqual(["version.json"]);
      expect(await readFile(folder.version, "utf8")).toBe(before);
      for (const version of [{ muster: "0.0.1", schema: 3 }, THIS_VERSION]) {
        await writeFolderVersion(folder, version);
        await refuseNewerFolder(folder);
      }
      await writeFile(folder.version, "{");
      await expect(refuseNewerFolder(folder)).rejects.toThrow("is not valid");
    }));

  test("BK16 the version of Muster is that of its packages", async () => {
    for (const manifest of [
      "package.json",
      "packages/mesh/package.json",
      "packages/server/package.json",
    ]) {
      const { version } = JSON.parse(await readFile(manifest, "utf8")) as { version: string };
      expect(version, manifest).toBe(MUSTER_VERSION);
    }
  });
});

const EMPTY_SNAPSHOT: Snapshot = {
  cells: [0],
  schema: 1,
  resultIds: () => [],
  tables: function* () {},
  close: () => {},
};
const NO_FILES: ResultFiles = {
  read: () => Promise.resolve(null),
  write: () => Promise.resolve(),
  keepOnly: () => Promise.resolve(),
  close: () => {},
};

/** A mesh whose tasks are added and deleted whenever anything is read of it, first the row and then the result, as the outbox does. */
class ChangingMesh {
  readonly #random;
  readonly #rows = new Set<string>();
  readonly #stored = new Set<string>();
  #next = 0;
  openSnapshots = 0;

  constructor(seed: number) {
    this.#random = seededNumbers(seed);
    for (let n = 0; n < 20; n++) this.#add();
  }

  readonly open = (): Snapshot => {
    const ids = [...this.#rows].toSorted();
    this.openSnapshots++;
    this.#change();
    return { ...EMPTY_SNAPSHOT, resultIds: () => ids, close: () => void this.openSnapshots-- };
  };

  readonly files: ResultFiles = {
    ...NO_FILES,
    read: (id) => {
      const found = this.#stored.has(id) ? { id, bytes: 0, content: [] } : null;
      this.#change();
      return Promise.resolve(found);
    },
  };

  #add(): void {
    const id = blobOf(++this.#next);
    this.#stored.add(id);
    this.#rows.add(id);
  }

  #change(): void {
    for (const id of this.#stored)
      if (!this.#rows.has(id) && this.#random() < 0.5) this.#stored.delete(id);
    if (this.#random() < 0.2) this.#add();
    for (const id of this.#rows) if (this.#random() < 0.01) this.#rows.delete(id);
  }
}
