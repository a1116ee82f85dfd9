import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import { NO_TARGET, readBackupFile } from "../../src/cli/backup/backup-file.ts";
import { backUpFolder, hashFolder, saveExport } from "../../src/cli/backup/make-backup.ts";
import { restoreFolder } from "../../src/cli/backup/restored-folder.ts";
import { THIS_VERSION, writeFolderVersion } from "../../src/cli/folder-version.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";
import { stateFolder } from "../../src/cli/state-folder.ts";
import { connectPeer, controller, generateIdentity } from "../../src/client/index.ts";
import { waitFor } from "../wait-for.ts";

const LARGE = 400_000;
const PASSPHRASE = { passphrase: "correct horse" };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "muster-backup-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const start = (name: string, port = 0): Promise<MeshProcess> =>
  startMesh({ dir: join(folder, name), port });
const clientOf = ({ url, adminToken: token }: MeshProcess) => controller({ url, token });

describe("a mesh on this machine", () => {
  test("BK1 BK6 BK10 BK22 BK23 is backed up under load, and the restored mesh goes on with its tasks, results, peers and refusals", async () => {
    const mesh = await start("mesh");
    const [keys, revoked] = [generateIdentity(), generateIdentity()];
    let finish: (value: string) => void = () => {};
    const begun = Promise.withResolvers<void>();
    const peer = connectPeer({
      url: mesh.url,
      privateKey: keys.privateKey,
      name: "worker",
      slots: 8,
      handlers: {
        large: (n) => String(n).padEnd(LARGE, "x"),
        slow: () => {
          begun.resolve();
          return new Promise<string>((resolve) => (finish = resolve));
        },
      },
    });
    const client = clientOf(mesh);
    const slow = await client.tasks.submit("slow", null);
    await begun.promise;
    const first = await client.tasks.submit("large", 0);
    await client.tasks.wait(first.id);
    await connectPeer({ url: mesh.url, privateKey: revoked.privateKey, handlers: {} }).close();
    await client.peers.revoke(revoked.id);
    // Large results arrive while both kinds of backup are made.
    const load = loadOf(client);
    const file = join(folder, "files.backup");
    const made = await backUpFolder(join(folder, "mesh"), {
      out: file,
      sealTo: PASSPHRASE,
      secrets: true,
    });
    const exported = join(folder, "http.backup");
    await saveExport(await client.settings.exportMesh(), { out: exported, sealTo: null });
    await load.stop();
    for (const [path, opener] of [
      [file, PASSPHRASE],
      [exported, null],
    ] as const) {
      const { summary } = await readBackupFile(path, NO_TARGET, opener);
      expect(summary.missing_results).toBe(0);
      expect(summary.results).toBeGreaterThan(0);
    }
    const port = Number(new URL(mesh.url).port);
    await mesh.stop();

    await restoreFolder({
      file,
      dir: join(folder, "restored"),
      opener: PASSPHRASE,
      secretsFile: undefined,
    });
    expect((await hashFolder(join(folder, "restored"))).state_hash).toBe(made.summary.state_hash);
    const again = await start("restored", port);
    const restored = clientOf(again);
    expect(await restored.tasks.result<string>(first.id)).toHaveLength(LARGE);
    await waitFor(async () => (await restored.peers.get(keys.id)).state === "active");
    finish("done across the restore");
    expect(await restored.tasks.wait(slow.id)).toMatchObject({
      state: "succeeded",
      result: "done across the restore",
    });
    const refused = connectPeer({ url: again.url, privateKey: revoked.privateKey, handlers: {} });
    await expect(refused.ready).rejects.toMatchObject({ code: "revoked" });
    await peer.close();
    await again.stop();

    // The export of the same mesh, with its secrets given besides.
    const secretsFile = stateFolder(join(folder, "mesh")).secrets;
    await restoreFolder({ file: exported, dir: join(folder, "moved"), opener: null, secretsFile });
    const moved = await start("moved");
    expect(await clientOf(moved).tasks.result<string>(first.id)).toHaveLength(LARGE);
    await moved.stop();
  });

  test("BK6 has the same state hash before the backup of the stopped mesh and after its restore, also after a kill", async () => {
    const mesh = await start("killed");
    const client = clientOf(mesh);
    for (let n = 0; n < 20; n++) await client.tasks.submit("nobody", n);
    process.kill(mesh.pid as number, "SIGKILL");
    await mesh.exited;
    await mesh.stop();
    const dir = join(folder, "killed");
    const before = await hashFolder(dir);
    const file = join(folder, "killed.backup");
    await backUpFolder(dir, { out: file, sealTo: PASSPHRASE, secrets: true });
    await restoreFolder({
      file,
      dir: join(folder, "from-killed"),
      opener: PASSPHRASE,
      secretsFile: undefined,
    });
    expect((await hashFolder(join(folder, "from-killed"))).state_hash).toBe(before.state_hash);
  });

  test("BK16 whose folder a newer Muster has written does not start, and nothing in the folder changes", async () => {
    const dir = join(folder, "newer");
    await (await start("newer")).stop();
    const before = await hashFolder(dir);
    await writeFolderVersion(stateFolder(dir), {
      muster: "9.8.7",
      schema: THIS_VERSION.schema + 1,
    });
    await expect(start("newer")).rejects.toThrow("was written by Muster 9.8.7");
    await expect(hashFolder(dir)).rejects.toThrow("was written by Muster 9.8.7");
    expect(existsSync(stateFolder(dir).lock)).toBe(false);
    await writeFolderVersion(stateFolder(dir));
    expect((await hashFolder(dir)).state_hash).toBe(before.state_hash);
    const unused = join(folder, "unused");
    await expect(
      startMesh({ dir: unused, port: 0 }).then((mesh) => mesh.stop()),
    ).resolves.toBeUndefined();
    expect(existsSync(stateFolder(unused).version)).toBe(true);
  });
});

/** Submits tasks with large results, and deletes some, until it is stopped. */
function loadOf(client: ReturnType<typeof controller>) {
  const stopped = new AbortController();
  const working = Array.from({ length: 3 }, async (_, worker) => {
    for (let n = 1; !stopped.signal.aborted; n++) await client.tasks.run("large", `${worker} ${n}`);
  });
  return {
    async stop(): Promise<void> {
      stopped.abort();
      await Promise.all(working);
    },
  };
}
