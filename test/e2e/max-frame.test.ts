import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connectPeer, type PeerEvent } from "../../src/client/index.ts";
import { KillableMesh } from "./kill/killable-mesh.ts";
import { eventually } from "./processes.ts";

/** A start on a busy machine takes tens of seconds; the fetch of a payload goes on for as long as its lease. */
const LEASE_SECONDS = 200;
/** What stock Noise libraries take. */
const MAX_FRAME = 65_535;
const LARGE = "é".repeat(100_000);

test(
  "NX17 a payload that is being fetched when the mesh is killed is fetched from the mesh that starts again",
  { timeout: 240_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-max-frame-"));
    const mesh = await KillableMesh.start(dir);
    const { url, meshKey } = mesh.address;
    const events: PeerEvent[] = [];
    const fetches: string[] = [];
    const killed = Promise.withResolvers<void>();
    const started: number[] = [];
    const worker = connectPeer({
      url,
      meshKey,
      maxFrame: MAX_FRAME,
      onEvent: (event) => events.push(event),
      handlers: {
        measure: (payload) => {
          started.push((payload as string).length);
          return (payload as string).repeat(2);
        },
      },
      platform: {
        fetch: async (asked, init) => {
          if (!asked.includes("/v1/task-payloads/")) return fetch(asked, init);
          fetches.push(asked);
          if (fetches.length > 1) return fetch(asked, init);
          // An attempt whose accept is lost with the mesh would be fetched for as another one.
          await eventually(
            async () =>
              (await mesh.controller.tasks.list({ state: "running" }).toArray()).length > 0,
            () => "the mesh knows that the task runs",
          );
          const answer = fetch(asked, init);
          // The mesh dies while the request is under way: it is refused, reset, or cut off in the answer's body.
          answer.catch(() => {});
          await mesh.kill();
          killed.resolve();
          throw await answer.then(
            async (cut) => (await cut.body?.cancel(), new TypeError("the connection broke")),
            (error: unknown) => error,
          );
        },
      },
    });
    try {
      await worker.ready;
      const client = mesh.controllerWith({ outageMs: LEASE_SECONDS * 1_000 });
      const result = client.run<string>("measure", LARGE, { leaseSeconds: LEASE_SECONDS });
      await killed.promise;
      await mesh.restart();
      expect(await result).toBe(LARGE.repeat(2));
      expect(started).toEqual([LARGE.length]);
      expect(fetches.length).toBeGreaterThan(1);
      expect(new Set(fetches).size).toBe(1);
      const [task] = await client.tasks.list().toArray();
      expect(task).toMatchObject({ state: "succeeded", attempts_used: 0 });
    } finally {
      await worker.close();
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
