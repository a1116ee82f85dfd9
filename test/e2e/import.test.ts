import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import { importIntoMesh } from "../../src/cli/backup/import-mesh.ts";
import { backUpFolder, saveExport } from "../../src/cli/backup/make-backup.ts";
import { newMeshParts } from "../../src/cli/backup/mesh-parts.ts";
import { nodeSql } from "../../src/cli/backup/node-sql.ts";
import { replaceFile } from "../../src/cli/files.ts";
import { newSecrets, stateFolder } from "../../src/cli/state-folder.ts";
import { secretsText } from "../../src/cli/secrets-file.ts";
import { connectPeer, controller, generateIdentity } from "../../src/client/index.ts";
import { migrate } from "../../src/registry/migrate.ts";
import { PROJECT } from "./processes.ts";
import { startWrangler } from "./wrangler.ts";

const PEERS = 10_000;
const PASSPHRASE = "correct horse";
const LARGE = 400_000;
const secrets = newSecrets();
const revoked = generateIdentity();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "muster-import-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A folder with the secrets that all meshes of this file have. */
async function newFolder(name: string): Promise<string> {
  const dir = join(folder, name);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await replaceFile(stateFolder(dir).secrets, secretsText(secrets));
  return dir;
}

/** Peers that a mesh once had. */
async function fillWithPeers(dir: string): Promise<void> {
  const database = new DatabaseSync((await newMeshParts(dir)).database);
  migrate(nodeSql(database));
  const id = "lower(printf('%032x', i * 2654435761))";
  database.exec(`
    INSERT INTO peers (id, name, public_key, address, role, added_at, last_seen, state, epoch, session, protocol, speaks_muster,
        may_assign, capabilities, slots, held, rtt_ms, hops, geo_km, successes, failures, score, kinds)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${PEERS})
      SELECT ${id}, 'worker ' || i, ${id} || ${id}, '203.0.113.7', 'worker', ${Date.now()}, ${Date.now()}, 'stale',
        3, NULL, 'muster/2', 1, 0, '["gpu"]', 4, 0, 12.5, 1, 5570.25, 3, 1, 0.8125, '["resize"]' FROM n`);
  database.close();
}

const lastPeer = (PEERS * 2_654_435_761).toString(16).padStart(32, "0");

/** What every copy of the mesh must have. */
async function expectMesh(url: string, tasks: { done: string; open: string }): Promise<void> {
  const client = controller({ url, token: secrets.ADMIN_TOKEN });
  expect((await client.peers.get(lastPeer)).name).toBe(`worker ${PEERS}`);
  expect(await client.tasks.result<string>(tasks.done)).toHaveLength(LARGE);
  const refused = connectPeer({ url, privateKey: revoked.privateKey, handlers: {} });
  await expect(refused.ready).rejects.toMatchObject({ code: "revoked" });
  expect((await client.tasks.get(tasks.open)).state).toBe("queued");
}

/** The open task of the backup is done by a peer of the copy. */
async function finishOpenTask(url: string, id: string): Promise<void> {
  const client = controller({ url, token: secrets.ADMIN_TOKEN });
  const peer = connectPeer({ url, handlers: { later: () => "done" } });
  expect(await client.tasks.wait(id)).toMatchObject({ state: "succeeded", result: "done" });
  await peer.close();
}

describe("muster restore --url", () => {
  test("BK26 moves a mesh with 10,000 peers from this machine into a Worker and back, with the same state hash, sealed or not", async () => {
    const from = await newFolder("from");
    await fillWithPeers(from);
    const mesh = await startMesh({ dir: from, port: 0 });
    const client = controller({ url: mesh.url, token: secrets.ADMIN_TOKEN });
    const peer = connectPeer({ url: mesh.url, handlers: { large: () => "x".repeat(LARGE) } });
    const done = await client.tasks.submit("large", null);
    await client.tasks.wait(done.id);
    await peer.close();
    await connectPeer({ url: mesh.url, privateKey: revoked.privateKey, handlers: {} }).close();
    await client.peers.revoke(revoked.id);
    const tasks = { done: done.id, open: (await client.tasks.submit("later", 1)).id };
    await mesh.stop();
    const sealed = join(folder, "sealed.backup");
    const sealTo = { passphrase: PASSPHRASE };
    const made = await backUpFolder(from, { out: sealed, sealTo, secrets: true });
    expect(made.summary.results).toBe(1);

    const worker = await startWrangler(join(folder, "worker"), {}, secrets);
    const exported = join(folder, "exported.backup");
    try {
      const there = controller({ url: worker.url, token: secrets.ADMIN_TOKEN });
      const sent: number[] = [];
      const restored = await importIntoMesh(there, {
        file: sealed,
        opener: sealTo,
        onPart: (part) => void sent.push(part),
      });
      expect(restored.summary.state_hash).toBe(made.summary.state_hash);
      expect(sent.length).toBeGreaterThan(2);
      await expectMesh(worker.url, tasks);
      await saveExport(await there.settings.exportMesh(), { out: exported, sealTo: null });
    } finally {
      await worker.stop();
    }

    const back = await startMesh({ dir: await newFolder("back"), port: 0 });
    try {
      const passed = join(folder, "admin.token");
      await writeFile(passed, secrets.ADMIN_TOKEN, { mode: 0o600 });
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ["bin/muster.js", "restore", exported, "--url", back.url, "--token-file", passed],
        { cwd: PROJECT },
      );
      expect(stdout).toContain("state hash");
      expect(stderr).toContain("parts");
      await expectMesh(back.url, tasks);
      await finishOpenTask(back.url, tasks.open);
      // A mesh that is in use takes no backup.
      await expect(
        importIntoMesh(controller({ url: back.url, token: secrets.ADMIN_TOKEN }), {
          file: sealed,
          opener: sealTo,
          onPart: () => {},
        }),
      ).rejects.toMatchObject({ code: "conflict" });
    } finally {
      await back.stop();
    }
  });

  test("BK28 goes on after the mesh was killed in the middle", async () => {
    const from = await newFolder("kill-from");
    await fillWithPeers(from);
    const file = join(folder, "kill.backup");
    await backUpFolder(from, { out: file, sealTo: null, secrets: false });
    const dir = await newFolder("kill-to");
    const first = await startMesh({ dir, port: 0 });
    const killed = importIntoMesh(controller({ url: first.url, token: secrets.ADMIN_TOKEN }), {
      file,
      opener: null,
      onPart(sent) {
        if (sent < 2) return;
        process.kill(first.pid as number, "SIGKILL");
        throw new Error("killed");
      },
    });
    await expect(killed).rejects.toThrow();
    await first.stop();
    const second = await startMesh({ dir, port: 0 });
    try {
      const client = controller({ url: second.url, token: secrets.ADMIN_TOKEN });
      await importIntoMesh(client, { file, opener: null, onPart: () => {} });
      expect((await client.peers.get(lastPeer)).name).toBe(`worker ${PEERS}`);
    } finally {
      await second.stop();
    }
  });
});
