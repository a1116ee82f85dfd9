import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import { importIntoMesh } from "../../src/cli/backup/import-mesh.ts";
import { backUpFolder } from "../../src/cli/backup/make-backup.ts";
import { stateFolder } from "../../src/cli/state-folder.ts";
import { connectPeer, controller, type PeerEvent } from "../../src/client/index.ts";
import { EARLIER_FOLDERS, earlierMesh, moveTimes, unpackEarlier } from "../earlier-mesh.ts";
import { hexBytes, present } from "../must.ts";
import { eventually } from "./processes.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "muster-import-earlier-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("an import of the backup of an earlier version", () => {
  test.each(EARLIER_FOLDERS.filter((name) => !name.endsWith("killed")))(
    "BK38 %s gives an empty mesh its tasks, results and refusals; a peer that comes meanwhile is told why it has to wait, and gets in at the end",
    async (name) => {
      const earlier = await earlierMesh(name);
      const before = await unpackEarlier(name, folder);
      await moveTimes(before, Date.now() - earlier.made_at);
      const file = join(folder, "earlier.backup");
      const made = await backUpFolder(before, { out: file, sealTo: null, secrets: false });
      expect(made.manifest.schema).toBe(earlier.schema);
      const dir = join(folder, "new");
      await mkdir(dir, { mode: 0o700 });
      await copyFile(stateFolder(before).secrets, stateFolder(dir).secrets);
      const mesh = await startMesh({ dir, port: 0 });
      const events: PeerEvent[] = [];
      let peer: ReturnType<typeof connectPeer> | undefined;
      try {
        const client = controller({ url: mesh.url, token: mesh.adminToken });
        let opened = "";
        const { summary } = await importIntoMesh(client, {
          file,
          opener: null,
          // The parts after the first wait until the peer was refused.
          async onPart(sent) {
            if (sent !== 1) return;
            peer = connectPeer({
              url: mesh.url,
              privateKey: hexBytes(earlier.keys.worker.private_key),
              capabilities: ["later"],
              handlers: { later: (payload) => payload },
              onEvent: (event) => void events.push(event),
            });
            await eventually(
              () => events.some(({ type }) => type === "disconnected"),
              () => JSON.stringify(events),
            );
            // Without the SDK, which would try again after the 30 s that the answer asks for.
            const response = await fetch(`${mesh.url}/v1/tasks`, {
              method: "POST",
              headers: {
                authorization: `Bearer ${mesh.adminToken}`,
                "content-type": "application/json",
              },
              body: '{"kind":"later"}',
            });
            opened = `${response.status} ${response.headers.get("retry-after")} ${await response.text()}`;
          },
        });
        expect(summary.state_hash).toBe(made.summary.state_hash);
        expect(events.find(({ type }) => type === "disconnected")).toMatchObject({
          code: 4503,
          reason: expect.stringContaining("a backup is being imported into this mesh"),
        });
        expect(opened).toMatch(/^503 30 .*a backup is being imported into this mesh \(import /);
        await present(peer).ready;
        const { queued, succeeded } = earlier.shown.tasks;
        expect(await client.tasks.wait(present(queued).id)).toMatchObject({
          state: "succeeded",
          result: { n: 1 },
        });
        expect((await client.tasks.get(present(succeeded).id)).result).toEqual(
          present(succeeded).result,
        );
        const privateKey = hexBytes(earlier.keys.revoked.private_key);
        const revoked = connectPeer({ url: mesh.url, privateKey, handlers: {} });
        await expect(revoked.ready).rejects.toMatchObject({ code: "revoked" });
      } finally {
        await peer?.close();
        await mesh.stop();
      }
    },
  );
});

test("BK40 a part that announces 10 GB is refused before it has arrived", async () => {
  const mesh = await startMesh({ dir: join(folder, "mesh"), port: 0 });
  try {
    const client = controller({ url: mesh.url, token: mesh.adminToken });
    const { id } = await client.settings.beginImport({
      muster_backup: 1,
      muster: "0.1.0",
      schema: 1,
      created_at: new Date().toISOString(),
      mesh_key: mesh.meshKey,
      tables: 1,
      rows: 1,
      results: 0,
      state_hash: "ab".repeat(32),
    });
    const asked = request(`${mesh.url}/v1/imports/${id}/parts/1`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${mesh.adminToken}`,
        "content-type": "application/octet-stream",
        "content-digest": "sha-256=:AAAA:",
        "content-length": 10_000_000_000,
      },
    });
    asked.on("error", () => {}); // the mesh may close the connection, because nobody reads the rest
    asked.write(new Uint8Array(1_000));
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    asked.destroy();
    expect((await client.settings.mesh()).public_key).toBe(mesh.meshKey);
  } finally {
    await mesh.stop();
  }
});
