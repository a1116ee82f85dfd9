import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { databaseIn } from "../../src/cli/backup/object-file.ts";
import { readMeshFile, readSecrets, stateFolder } from "../../src/cli/state-folder.ts";
import { controller } from "../../src/client/index.ts";
import { muster, ProcessMarker, start } from "./processes.ts";

let dir: string;
let mark: ProcessMarker;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-damage-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

/** Sets all pages but the first to zeros, as a file system does that has lost them. */
async function zero(path: string): Promise<void> {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const bytes = (await stat(path)).size - 4_096;
  const file = await open(path, "r+");
  await file.write(Buffer.alloc(bytes), 0, bytes, 4_096);
  await file.close();
}

test("SV46 a database whose pages are lost ends the start with one line that names it, and leaves no process", async () => {
  const folder = stateFolder(join(dir, "mesh"));
  const args = ["serve", "--port", "0", "--log", "json", "--dir", folder.root];
  const mesh = start(args, { cwd: dir, env: mark.env });
  await mesh.waitForOutput(/"the mesh runs"/);
  const { url } = (await readMeshFile(folder)) ?? { url: "" };
  const client = controller({ url, token: (await readSecrets(folder))?.ADMIN_TOKEN ?? "" });
  for (let n = 0; n < 10; n++) await client.tasks.submit("nobody", "x".repeat(50_000));
  mesh.child.kill("SIGTERM");
  await mesh.finished;
  const path = databaseIn(join(folder.state, "objects"));
  await zero(path);

  const ended = await muster(args, { cwd: dir, env: mark.env });
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/^[^\n]+\n$/);
  expect(JSON.parse(ended.stderr)).toMatchObject({
    level: "error",
    message: `the database ${path} is damaged: database disk image is malformed`,
    remedy: expect.stringContaining("restore a backup into a new folder"),
    exit_code: 1,
  });
  // No error besides, and no stack.
  expect(ended.stdout).not.toMatch(/"level":"error"|SQLITE|stack/);
  await mark.expectNoneLeft();
});
