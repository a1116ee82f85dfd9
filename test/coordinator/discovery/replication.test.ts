import { beforeEach, describe, expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { DIRECTORY_KEY } from "../../../src/discovery/directory.ts";
import { readerToken } from "../../../src/discovery/epoch-secrets.ts";
import { EPOCH_INTERVAL_MIN, EPOCH_ROTATION_INTERVAL } from "../../../src/protocol/constants.ts";
import { ReplicatedMesh } from "../../discovery/replicated-mesh.ts";
import { hexBytes, present } from "../../must.ts";
import { KEYS, TestMesh, testKey } from "../mesh.ts";

const [A, B] = KEYS;

let scene: ReplicatedMesh;
beforeEach(async () => {
  scene = new ReplicatedMesh();
  await scene.open();
});

const joinMany = (count: number, from = 500): void => {
  for (let i = 0; i < count; i++) scene.mesh.join(testKey(from + i));
};
const pagesOf = (keys: readonly string[]) => keys.filter((key) => key.startsWith("page:"));
const foundCount = async () => (await scene.list()).pointers.length;

describe("replicating the published pointers", () => {
  test("DS30 each change is scheduled for replication within seconds, until it has been replicated", async () => {
    const { mesh } = scene;
    const peer = mesh.join(A);
    const changes = [() => mesh.join(B), () => peer.leave()];
    for (const change of [() => {}, ...changes]) {
      change();
      expect(present(mesh.nextTick())).toBeLessThanOrEqual(mesh.now + SECOND);
      mesh.runFor(2 * SECOND);
      expect(scene.replicationDueAt).not.toBeNull();
      mesh.runFor(HOUR);
      expect(scene.replicationDueAt).toBeLessThanOrEqual(mesh.now + MINUTE);
      await scene.replicateAll();
      expect(scene.replicationDueAt).toBeNull();
    }
    expect((await scene.list()).pointers).toEqual(mesh.pointers);
  });

  test("DS30 a change during a replication is replicated afterwards", async () => {
    const { mesh } = scene;
    mesh.join(A);
    await scene.replicateAll();
    mesh.join(B);
    mesh.runFor(2 * SECOND);
    const put = scene.replicaStore.put.bind(scene.replicaStore);
    scene.replicaStore.put = (...entry) => {
      scene.replicaStore.put = put;
      joinMany(1);
      return put(...entry);
    };
    await scene.replicateOnce();
    expect(await foundCount()).toBe(2);
    await scene.replicateAll();
    expect(await foundCount()).toBe(3);
  });

  test("DS30 unchanged data is not replicated again", async () => {
    joinMany(3);
    await scene.replicateAll();
    const before = scene.replicaStore.keys;
    const written: string[] = [];
    const put = scene.replicaStore.put.bind(scene.replicaStore);
    scene.replicaStore.put = (...entry) => (written.push(entry[0]), put(...entry));
    scene.mesh.runFor(6 * HOUR);
    await scene.replicateAll();
    // Only its signature is renewed (DS70).
    expect(new Set(written)).toEqual(new Set([DIRECTORY_KEY]));
    expect(scene.replicaStore.keys).toEqual(before);
  });

  test("DS30 only the changed pages are written, and the pages that they replace are deleted later", async () => {
    const { mesh, replicaStore } = scene;
    joinMany(150);
    await scene.replicateAll();
    const before = new Set(replicaStore.keys);
    expect(pagesOf([...before])).toHaveLength(4);
    present([...mesh.sessions.values()][0]).leave();
    await scene.replicateAll();
    expect(replicaStore.keys.filter((key) => !before.has(key))).toHaveLength(1);
    const dropped = mesh.rows("SELECT subject, due_at FROM outbox WHERE kind = 'drop_copy'");
    expect(dropped).toHaveLength(1);
    expect(before).toContain(present(dropped[0])["subject"]);
  });

  test("DS30 a withdrawn peer's blob is deleted from the replicas' store", async () => {
    const { mesh } = scene;
    const peer = mesh.join(A);
    const [pointer] = mesh.pointers;
    await scene.replicateAll();
    peer.leave();
    mesh.runFor(3 * MINUTE);
    const deletions = mesh.rows("SELECT subject FROM outbox WHERE kind = 'drop_copy'");
    expect(deletions.map(({ subject }) => subject)).toContain(`blob:${present(pointer).blob_id}`);
    mesh.run("copy_dropped", { key: `blob:${present(pointer).blob_id}` });
    expect(mesh.rows("SELECT 1 FROM outbox WHERE subject LIKE 'blob:%'")).toEqual([]);
  });

  test("DS30 a record is copied once, not again with each change", async () => {
    const { replicaStore, blobStore } = scene;
    joinMany(3);
    await scene.replicateAll();
    const blobs = replicaStore.contents;
    joinMany(1, 900);
    blobStore.reads = 0;
    await scene.replicateAll();
    expect(blobStore.reads).toBe(1);
    expect(replicaStore.contents).toEqual(expect.arrayContaining(blobs.slice(0, 3)));
  });

  test("DS30 a mesh without peers replicates an empty list", async () => {
    expect(present(scene.mesh.nextTick())).toBeLessThanOrEqual(scene.mesh.now + SECOND);
    await scene.replicateAll();
    expect((await scene.list()).pointers).toEqual([]);
  });

  test("DS30 a mesh that gets a store of replicas later schedules a full replication", async () => {
    const without = new TestMesh();
    without.join(A);
    without.runFor(2 * MINUTE);
    expect(present(without.nextTick())).toBeGreaterThan(without.now + MINUTE);
    const { sql, config } = without;
    const discovery = { ...config.discovery, replicated: true };
    const withReplicas = new TestMesh({ sql, config: { discovery } });
    expect(withReplicas.nextTick()).toBe(withReplicas.now);
  });

  test("DS30 a mesh whose store of replicas was removed drops its queued replications", async () => {
    const { mesh } = new ReplicatedMesh({}, false);
    mesh.join(A);
    mesh.runFor(2 * MINUTE);
    const nextTickBefore = mesh.nextTick();
    mesh.registry.outbox.add({ kind: "replicate" }, mesh.now);
    mesh.registry.outbox.add({ kind: "drop_copy", key: "blob:a" }, mesh.now);
    mesh.tick();
    expect(mesh.rows("SELECT * FROM outbox")).toEqual([]);
    expect(mesh.nextTick()).toBe(nextTickBefore);
  });
});

describe("a large mesh", () => {
  test("DS31 a large mesh is replicated in parts, and is visible once all parts are stored", async () => {
    joinMany(450);
    scene.mesh.runFor(2 * SECOND);
    const held: [number, boolean][] = [];
    while (scene.replicationDueAt !== null) {
      await scene.replicateOnce();
      const blobs = scene.replicaStore.keys.filter((key) => key.startsWith("blob:"));
      held.push([blobs.length, scene.replicaStore.keys.includes(DIRECTORY_KEY)]);
      scene.mesh.runFor(2 * SECOND);
    }
    expect(held).toEqual([
      [200, false],
      [400, false],
      [450, true],
    ]);
    expect(await foundCount()).toBe(450);
  });
});

describe("a blob that the mesh's own store does not return", () => {
  test.each([
    ["the store does not return it yet", async () => null],
    ["the store is unavailable", () => Promise.reject(new Error("down"))],
  ])(
    "DS30 replication waits a limited time for the blob while %s, and copies it later",
    async (_, get) => {
      const { mesh, blobStore } = scene;
      const originalGet = blobStore.get.bind(blobStore);
      joinMany(2);
      mesh.runFor(2 * SECOND);
      blobStore.get = get;
      await expect(scene.replicateOnce()).rejects.toThrow();
      expect(scene.replicaStore.keys).toEqual([]);
      await scene.replicateOnce(8);
      expect(await foundCount()).toBe(2);
      const [pointer] = mesh.pointers;
      expect(await scene.replica.blob(present(pointer).blob_id)).toBeNull();
      blobStore.get = originalGet;
      mesh.runFor(2 * MINUTE);
      await scene.replicateAll();
      expect(await scene.replica.blob(present(pointer).blob_id)).not.toBeNull();
      expect(mesh.registry.copies.last()?.incomplete).toBe(false);
    },
  );
});

describe("a store of replicas that lost or kept old data", () => {
  test("DS32 a store that lost its data is filled again with the next change", async () => {
    joinMany(150);
    await scene.replicateAll();
    for (const key of scene.replicaStore.keys) await scene.replicaStore.delete(key);
    scene.mesh.join(A);
    await scene.replicateAll();
    await scene.open();
    expect(await foundCount()).toBe(151);
    for (const { blob_id: id } of scene.mesh.pointers)
      expect(await scene.replica.blob(id)).not.toBeNull();
  });

  test("DS32 a store that was set back to old data is corrected with the next change", async () => {
    joinMany(150);
    await scene.replicateAll();
    const old = present(await scene.replicaStore.get(DIRECTORY_KEY));
    joinMany(1, 900);
    await scene.replicateAll();
    await scene.replicaStore.put(DIRECTORY_KEY, old, Number.MAX_SAFE_INTEGER);
    joinMany(1, 901);
    await scene.replicateAll();
    await scene.open();
    expect((await scene.list()).pointers).toEqual(scene.mesh.pointers);
  });

  test("DS32 a store is filled again if its last write was not confirmed", async () => {
    joinMany(3);
    scene.mesh.runFor(2 * SECOND);
    const execute = scene.mesh.execute.bind(scene.mesh);
    scene.mesh.execute = (name, input) => {
      if (name === "replicated") throw new Error("the object ended");
      return execute(name, input);
    };
    await expect(scene.replicateOnce()).rejects.toThrow();
    scene.mesh.execute = execute;
    scene.mesh.runFor(2 * MINUTE);
    await scene.replicateAll();
    expect(await foundCount()).toBe(3);
  });
});

describe("a member that lost access", () => {
  test("DS8 replicas refuse a revoked reader token at once, and accept the token of the next epoch", async () => {
    const { mesh } = scene;
    mesh.join(B);
    const { id } = mesh.run("create_token", { label: "", scope: "controller" });
    const [keys] = mesh.discoveryKeys(id).epochs;
    const token = readerToken(hexBytes(present(keys).pointer_secret));
    await scene.replicateAll();
    await scene.open(false);
    expect(await scene.replica.mayRead(token)).toBe(true);
    mesh.run("revoke_token", { id });
    expect(mesh.nextTick()).toBe(mesh.now);
    await scene.replicateAll();
    expect(await scene.replica.mayRead(token)).toBe(false);
    mesh.runFor(EPOCH_INTERVAL_MIN + 2 * MINUTE);
    await scene.replicateAll();
    const newestEpoch = present(mesh.discoveryKeys().epochs.at(-1));
    expect(await scene.replica.mayRead(readerToken(hexBytes(newestEpoch.pointer_secret)))).toBe(
      true,
    );
    expect(await foundCount()).toBe(1);
  });

  test("DS10 no page contains a pointer of an epoch that has been replaced", async () => {
    joinMany(5);
    await scene.replicateAll();
    const before = scene.mesh.pointers;
    scene.mesh.runFor(EPOCH_ROTATION_INTERVAL + 2 * MINUTE);
    await scene.replicateAll();
    for (const { id } of before) expect(await scene.replica.pointer(id)).toBeNull();
    expect((await scene.list()).pointers).toEqual(scene.mesh.pointers);
    expect((await scene.list({ since: "0" })).removed).toEqual([]);
  });
});
