import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { Directory, DIRECTORY_KEY } from "../../../src/discovery/directory.ts";
import { parseJson } from "../../../src/base/json.ts";
import { ReplicatedMesh } from "../../discovery/replicated-mesh.ts";
import { present } from "../../must.ts";
import { KEYS, TestMesh } from "../mesh.ts";

const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);
const [A, B] = KEYS;

let scene: ReplicatedMesh;
beforeEach(async () => {
  scene = await ReplicatedMesh.withPeers(A, B);
});

/** Lets time pass, and copies what becomes due, within a second. */
async function runFor(ms: number): Promise<void> {
  const end = scene.mesh.now + ms;
  while (scene.mesh.now < end) {
    scene.mesh.runFor(SECOND);
    if (scene.replicationDueAt !== null) await scene.replicateOnce();
  }
}

const directory = () =>
  Directory.parse(
    parseJson(new TextDecoder().decode(present(scene.replicaStore.peek(DIRECTORY_KEY)))),
  );
const ageNow = () => scene.mesh.now - Date.parse(directory().checkpoint.issued_at);

describe("the store of the replicas, while nothing changes in the mesh", () => {
  test("DS70 a store that loses its data, or holds another directory, is filled again within a minute", async () => {
    const losses: Record<string, () => unknown> = {
      everything: () => scene.replicaStore.clear(),
      "its directory": () => scene.replicaStore.delete(DIRECTORY_KEY),
      "its directory to another one": () =>
        scene.replicaStore.put(DIRECTORY_KEY, new Uint8Array(9), Number.MAX_SAFE_INTEGER),
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(losses)),
        fc.integer({ min: 0, max: 400 }),
        async (loss, seconds) => {
          scene = await ReplicatedMesh.withPeers(A, B);
          await runFor(seconds * SECOND);
          await present(losses[loss])();
          await runFor(MINUTE);
          await scene.open();
          expect((await scene.list()).pointers).toEqual(scene.mesh.pointers);
          for (const { blob_id: id } of scene.mesh.pointers)
            expect(await scene.replica.blob(id)).not.toBeNull();
        },
      ),
      { numRuns: 15 * SCALE },
    );
  });

  test("DS70 the directory is signed anew every few minutes, and nothing else is written", async () => {
    const others = scene.replicaStore.keys;
    const writes: string[] = [];
    const put = scene.replicaStore.put.bind(scene.replicaStore);
    scene.replicaStore.put = (...entry) => (writes.push(entry[0]), put(...entry));
    let oldest = 0;
    for (let minute = 0; minute < 60; minute++) {
      await runFor(MINUTE);
      oldest = Math.max(oldest, ageNow());
    }
    expect(oldest).toBeLessThanOrEqual(6 * MINUTE);
    expect(new Set(writes)).toEqual(new Set([DIRECTORY_KEY]));
    expect(writes.length).toBeLessThanOrEqual(12);
    expect(scene.replicaStore.keys).toEqual(others);
  });

  test("DS70 a store that can't be read is looked at again, and filled when it is back", async () => {
    scene.canCheck = false;
    await runFor(10 * MINUTE);
    scene.replicaStore.clear();
    scene.canCheck = true;
    await runFor(2 * MINUTE);
    expect(directory().totals?.epochs).toMatchObject([{ listed: 2 }]);
  });

  test("DS70 a mesh that lists no peer looks at the store every 15 minutes, and a mesh without replicas never", async () => {
    for (const peer of scene.mesh.sessions.values()) peer.leave();
    await runFor(5 * MINUTE);
    scene.checks = 0;
    await runFor(HOUR);
    expect(scene.checks).toBeLessThanOrEqual(5);
    expect(ageNow()).toBeLessThanOrEqual(16 * MINUTE);
    const without = new TestMesh();
    without.join(A);
    without.runFor(10 * MINUTE);
    expect(without.rows("SELECT * FROM outbox")).toEqual([]);
  });

  test("DS70 a mesh that was started by an older version begins to look at the store", () => {
    scene.mesh.registry.outbox.removeAll(["check_copy"]);
    scene.mesh.sql.exec(
      `UPDATE settings SET value = json_remove(value, '$.issuedAt') WHERE key = 'directory'`,
    );
    scene.mesh.restart();
    scene.mesh.tick();
    scene.mesh.runFor(MINUTE);
    expect(scene.replicationDueAt).not.toBeNull();
  });
});

describe("the signed totals", () => {
  test("DS61 the totals of every list and directory are what is listed, whatever joins, leaves, rotates or fails", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("join", "leave", "day", "minute", "undone", "copy"), {
          maxLength: 12,
        }),
        async (happenings) => {
          scene = await ReplicatedMesh.withPeers(A);
          let next = 2;
          for (const happening of happenings) {
            if (happening === "join") scene.mesh.join(present(KEYS[next++ % KEYS.length]));
            if (happening === "leave") [...scene.mesh.sessions.values()].at(-1)?.leave();
            if (happening === "day") scene.mesh.runFor(DAY + 5 * MINUTE);
            if (happening === "minute") scene.mesh.runFor(MINUTE);
            if (happening === "copy") await scene.replicateAll();
            if (happening === "undone") {
              const { registry } = scene.mesh;
              const undo = () =>
                registry.transaction(() => {
                  registry.pointers.removeBefore(99);
                  expect(registry.pointers.listedByEpoch().size).toBe(0);
                  throw new Error("undone");
                });
              expect(undo).toThrow("undone");
            }
            const { pointers, totals } = scene.mesh.listPointers({});
            for (const { epoch, listed } of present(totals).epochs)
              expect(listed).toBe(pointers.filter((pointer) => pointer.epoch === epoch).length);
          }
          await scene.replicateAll();
          await scene.open();
          const { pointers, totals } = await scene.list();
          const listed = present(totals).epochs.reduce((sum, each) => sum + each.listed, 0);
          expect(listed).toBe(pointers.length);
        },
      ),
      { numRuns: 4 * SCALE },
    );
  });
});
