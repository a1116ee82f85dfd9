import { describe, expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../src/base/clock.ts";
import { BLOB_TTL } from "../../src/protocol/constants.ts";
import { newOpaqueId } from "../../src/protocol/ids.ts";
import { seededRandom } from "../random.ts";
import { KEYS, START, TestMesh } from "./mesh.ts";

const [A, B] = KEYS;
const randomBytes = seededRandom(9);
const newPointer = () => ({
  id: newOpaqueId(randomBytes),
  blob_id: newOpaqueId(randomBytes),
  metadata: {},
});

const pointersOf = (mesh: TestMesh) => mesh.run("list_pointers", { limit: 99 }).pointers;
const blobsNamed = (mesh: TestMesh) => new Set(pointersOf(mesh).map(({ blob_id }) => blob_id));
const owed = (mesh: TestMesh) =>
  mesh.registry.outbox.due(Number.MAX_SAFE_INTEGER, 99).map(({ kind, subject }) => [kind, subject]);

describe("a peer that becomes active", () => {
  test("DS1 owes its record to the store, in the transaction that lets it in", () => {
    const mesh = new TestMesh();
    mesh.storeDown = true;
    mesh.join(A);
    expect(owed(mesh)).toEqual([["publish", A.id]]);
    expect(pointersOf(mesh)).toEqual([]);
  });

  test("DS1 is found by a pointer to its blob once that lies in the store", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    const [pointer] = pointersOf(mesh);
    expect(mesh.blobs).toEqual(blobsNamed(mesh));
    expect(mesh.run("get_pointer", { id: pointer?.id ?? "" })).toEqual(pointer);
    expect(pointer?.expires_at).toBe(new Date(START + BLOB_TTL).toISOString());
  });

  test("DS1 stays found: its record is sealed anew before the blob goes, and the old blob is deleted", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    const before = pointersOf(mesh);
    mesh.live(BLOB_TTL + HOUR);
    const [after] = pointersOf(mesh);
    expect(before.map(({ blob_id }) => blob_id)).not.toContain(after?.blob_id);
    expect(mesh.blobs).toEqual(blobsNamed(mesh));
  });

  test("DS1 has one pointer, however often it comes back", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.join();
    peer.leave();
    peer.join();
    mesh.join(B);
    expect(pointersOf(mesh)).toHaveLength(2);
    expect(mesh.blobs).toEqual(blobsNamed(mesh));
  });

  test("DS2 is not named by what is listed, whose order does not say when it came either", () => {
    const mesh = new TestMesh();
    for (const key of KEYS) mesh.join(key);
    const pointers = pointersOf(mesh);
    expect(pointers.map(({ id }) => id)).toEqual(pointers.map(({ id }) => id).toSorted());
    const shown = JSON.stringify(pointers);
    for (const { id, publicKey } of KEYS) {
      expect(shown).not.toContain(id);
      expect(shown).not.toContain(publicKey);
    }
    for (const { metadata } of pointers) expect(metadata).toEqual({});
  });

  test("DS1 is no longer found when its pointer has run out unrenewed", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    const [pointer] = pointersOf(mesh);
    mesh.pass(BLOB_TTL);
    expect(pointersOf(mesh)).toEqual([]);
    expect(mesh.refusal("get_pointer", { id: pointer?.id ?? "" }).code).toBe("not_found");
  });
});

describe("a peer that is gone", () => {
  test.for(["gone", "revoke_peer", "forget_peer", "set_auth_mode"] as const)(
    "DS3 by %s has its pointer withdrawn at once and its blob deleted",
    (how) => {
      const mesh = new TestMesh();
      const peer = mesh.join(A);
      if (how === "gone") peer.leave();
      else if (how === "set_auth_mode") mesh.run(how, { mode: "allowlist" });
      else mesh.run(how, { id: A.id });
      expect(pointersOf(mesh)).toEqual([]);
      expect(mesh.blobs.size).toBe(0);
      expect(owed(mesh)).toEqual([]);
    },
  );

  test("DS3 while its record was on the way to the store is not published: the blob is deleted", () => {
    const mesh = new TestMesh();
    mesh.storeDown = true;
    const peer = mesh.join(A);
    const pointer = newPointer();
    peer.leave();
    mesh.run("published", { peerId: A.id, epoch: peer.epoch, pointer });
    expect(pointersOf(mesh)).toEqual([]);
    expect(owed(mesh)).toEqual([["delete_blob", pointer.blob_id]]);
  });

  test("DS3 and is back before its old record reached the store still owes a new one", () => {
    const mesh = new TestMesh();
    mesh.storeDown = true;
    const peer = mesh.join(A);
    const pointer = newPointer();
    peer.join();
    mesh.run("published", { peerId: A.id, epoch: 1, pointer });
    expect(owed(mesh)).toEqual([
      ["publish", A.id],
      ["delete_blob", pointer.blob_id],
    ]);
    mesh.storeDown = false;
    mesh.live(MINUTE);
    expect(pointersOf(mesh)).toHaveLength(1);
  });
});

describe("a store that is down", () => {
  test("DS4 blocks nobody: the peer is active and gets work", () => {
    const mesh = new TestMesh();
    mesh.storeDown = true;
    const peer = mesh.join(A);
    const task = mesh.submit();
    expect(peer.offer.task_id).toBe(task.id);
    expect(peer.view.state).toBe("active");
  });

  test("DS4 loses nothing: what is owed is repeated until it is done", () => {
    const mesh = new TestMesh();
    const [stays, leaves] = [mesh.join(A), mesh.join(B)];
    mesh.storeDown = true;
    leaves.leave();
    stays.join();
    mesh.live(HOUR);
    expect(mesh.blobs.size).toBe(2);
    mesh.storeDown = false;
    mesh.live(MINUTE);
    expect(pointersOf(mesh)).toHaveLength(1);
    expect(mesh.blobs).toEqual(blobsNamed(mesh));
  });

  test("DS4 is asked again after a pause, which grows to a minute and no further", () => {
    const mesh = new TestMesh();
    mesh.storeDown = true;
    mesh.join(A);
    const pauses = Array.from({ length: 12 }, () => {
      const pause = (mesh.nextTick() ?? Number.NaN) - mesh.now;
      mesh.live(pause);
      return pause;
    });
    expect(pauses[0]).toBeLessThanOrEqual(SECOND);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(MINUTE);
    expect(Math.min(...pauses.slice(-3))).toBeGreaterThanOrEqual(MINUTE / 2);
  });

  test("DS4 owes no record of a peer that has left meanwhile", () => {
    const mesh = new TestMesh();
    mesh.storeDown = true;
    mesh.join(A).leave();
    expect(owed(mesh)).toEqual([]);
  });
});
