/** Databases of a mesh's folder that are damaged, and the commands that open them. */
import { mkdir, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { databaseIn, storeIn } from "../../src/cli/backup/object-file.ts";
import { requireDatabases } from "../../src/cli/backup/require-databases.ts";
import { stateFolder, writeMeshFile } from "../../src/cli/state-folder.ts";
import { muster } from "./command-run.ts";
import { meshFolder, storeResult } from "./backup/mesh-folder.ts";

// Each command line of this process listens to signals.
process.setMaxListeners(0);

let dir: string;
let objects: string;
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "muster-damaged-")), "mesh");
  objects = join(stateFolder(dir).state, "objects");
  const folder = await meshFolder(dir);
  for (let n = 0; n < 40; n++) await storeResult(folder, `${n} ${"x".repeat(2_000)}`);
  folder.parts.results.close();
  folder.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  folder.database.close();
  await writeMeshFile(stateFolder(dir), {
    url: "http://127.0.0.1:1",
    mesh_key: "0".repeat(64),
    auth_mode: "open",
  });
});
afterEach(() => rm(dirname(dir), { recursive: true, force: true }));

const alarmsIn = (root: string) => join(root, "muster-Coordinator", "metadata.sqlite");

async function overwrite(path: string, from: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "r+");
  await file.write(bytes, 0, bytes.length, from);
  await file.close();
}

/** What each kind of damage does to a database, and what is said of it. */
const DAMAGE: readonly (readonly [
  name: string,
  does: (path: string) => Promise<void>,
  says: RegExp,
])[] = [
  [
    "garbage in its header",
    (path) => overwrite(path, 0, Buffer.alloc(100, 7)),
    /it is no SQLite database/,
  ],
  ["another file", (path) => writeFile(path, "notes\n"), /it is no SQLite database/],
  [
    "cut off",
    async (path) => truncate(path, (await stat(path)).size - 4_096),
    /\d+ bytes are missing at its end/,
  ],
  ["cut off to nothing", (path) => truncate(path, 0), /it is empty/],
  [
    "a folder",
    async (path) => {
      await rm(path);
      await mkdir(path);
    },
    /it is a folder/,
  ],
];

/** Those of which only SQLite finds that they are damaged. */
const ZEROS = [
  "zeros in the middle",
  async (path: string) => overwrite(path, 4_096, Buffer.alloc((await stat(path)).size - 4_096)),
  /malformed/,
] as const;

const expectOneLine = (
  { code, out, err }: { readonly code: number; readonly out: string; readonly err: string },
  path: string,
  says: RegExp,
) => {
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(/^muster: [^\n]+\n$/);
  expect(err).toContain(`the database ${path} is damaged: `);
  expect(err).toMatch(says);
  expect(err).toMatch(/; restore a backup into a new folder .*restore FILE --dir FOLDER/);
};

describe("SV46 a damaged database is told in one line, with its name and what to do", () => {
  describe.each([
    ["the coordinator's", databaseIn],
    ["the store's", storeIn],
    ["that of the alarms", alarmsIn],
  ])("%s", (_, pathIn) => {
    test.each(DAMAGE)("%s: at a start, before anything runs", async (_name, damage, says) => {
      const path = pathIn(objects);
      if (pathIn === alarmsIn) {
        const alarms = new DatabaseSync(path);
        alarms.exec("CREATE TABLE a (b); CREATE TABLE c (d)");
        alarms.close();
      }
      await damage(path);
      for (const command of ["start", "serve"])
        expectOneLine(await muster(command, "--port", "0", "--dir", dir), path, says);
    });
  });

  test.each([...DAMAGE, ZEROS])("%s: by state-hash and backup", async (_, damage, says) => {
    const path = databaseIn(objects);
    await damage(path);
    const out = join(dirname(dir), "x.backup");
    expectOneLine(await muster("state-hash", "--dir", dir), path, says);
    expectOneLine(await muster("backup", "--dir", dir, "--out", out), path, says);
    await expect(readFile(out)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test.each([...DAMAGE.filter(([name]) => name !== "cut off to nothing"), ZEROS])(
    "the store, %s: by backup",
    async (_, damage, says) => {
      const path = storeIn(objects);
      await damage(path);
      const out = join(dirname(dir), "x.backup");
      expectOneLine(await muster("backup", "--dir", dir, "--out", out), path, says);
    },
  );

  test("that of the coordinator is missing, and the mesh has run: the start ends before a new one is made", async () => {
    const path = databaseIn(objects);
    await rm(path);
    for (const command of ["start", "serve"]) {
      const { code, out, err } = await muster(command, "--port", "0", "--dir", dir);
      expect([code, out]).toEqual([1, ""]);
      expect(err).toMatch(/^muster: [^\n]+\n$/);
      expect(err).toContain(`the mesh has run, and its database ${path} does not exist; put the`);
    }
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("what is new, in the log of the database, or a store that is missing is not damaged", async () => {
    const path = databaseIn(objects);
    const used = new DatabaseSync(path);
    used.exec("CREATE TABLE more (text); INSERT INTO more VALUES (hex(randomblob(100000)))");
    // The log is not empty as long as the database is open.
    await requireDatabases(objects, true);
    used.close();
    await rm(storeIn(objects));
    await requireDatabases(objects, true);
    await rm(path);
    await requireDatabases(objects, false);
    await writeFile(path, "");
    await requireDatabases(objects, false);
    await expect(requireDatabases(objects, true)).rejects.toThrow("it is empty");
  });
});
