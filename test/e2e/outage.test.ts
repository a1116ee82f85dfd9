import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { connectPeer, generateIdentity } from "../../src/client/index.ts";
import { KillableMesh } from "./kill/killable-mesh.ts";
import { eventually } from "./processes.ts";

/** A start on a busy machine takes tens of seconds. */
const OUTAGE_MS = 200_000;

test(
  "SK7 wait, follow, run and a worker in the middle of its tasks go on when the mesh is killed and started again",
  { timeout: 240_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-outage-"));
    const mesh = await KillableMesh.start(dir);
    const { url, meshKey } = mesh.address;
    const keys = generateIdentity();
    await mesh.controller.allowlist.put(toHex(keys.publicKey), { roles: ["dual"] });
    const started: string[] = [];
    const allStarted = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const worker = connectPeer({
      url,
      meshKey,
      privateKey: keys.privateKey,
      role: "dual",
      slots: 8,
      outageMs: OUTAGE_MS,
      handlers: {
        echo: async (payload) => {
          started.push(String(payload));
          if (started.length === 5) allStarted.resolve();
          await release.promise;
          return payload;
        },
      },
    });
    try {
      await worker.ready;
      const client = mesh.controllerWith({ outageMs: OUTAGE_MS });
      const pinned = mesh.controllerWith({ outageMs: OUTAGE_MS, meshKey });
      const waited = await client.tasks.submit("echo", "wait");
      const followed = await client.tasks.submit("echo", "follow");
      const follow = async () => {
        let result: unknown;
        for await (const task of client.tasks.follow(followed.id)) ({ result } = task);
        return result;
      };
      const results = Promise.all([
        client.tasks.wait(waited.id).then(({ result }) => result),
        follow(),
        client.run("echo", "run"),
        pinned.run("echo", "pinned"),
        worker.tasks.run("echo", "peer"),
      ]);
      await allStarted.promise;
      // A task starts when its accept is sent. One whose accept was lost with the mesh was never begun for it, and may run again.
      await eventually(
        async () => (await client.tasks.list({ state: "running" }).toArray()).length === 5,
        () => "the mesh knows of five running tasks",
      );

      await mesh.kill();
      const duringOutage = client.run("echo", "during the outage");
      release.resolve(); // the handlers end while no mesh is there to take their results
      await mesh.restart();

      expect(await results).toEqual(["wait", "follow", "run", "pinned", "peer"]);
      expect(await duringOutage).toBe("during the outage");
      const atTheOutage = started.filter((payload) => payload !== "during the outage");
      expect(atTheOutage.toSorted()).toEqual(["follow", "peer", "pinned", "run", "wait"]);
      expect(await client.tasks.list().toArray()).toHaveLength(6);
    } finally {
      await worker.close();
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
