import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { readerTag, readerToken } from "../../../src/discovery/epoch-secrets.ts";
import {
  BLOB_GRACE_PERIOD,
  EPOCH_LIFETIME,
  KV_RECORDS_PER_PEER_DAY,
  KV_WRITES_PER_PEER_DAY,
  KV_WRITES_BASE_PER_DAY,
  ORPHANED_BLOB_AGE,
} from "../../../src/protocol/constants.ts";
import { present } from "../../must.ts";
import { KEYS, START, testKey, TestMesh, TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

const publishedBlobs = (mesh: TestMesh) => new Set(mesh.pointers.map(({ blob_id }) => blob_id));
const outboxEntries = (mesh: TestMesh) =>
  mesh.registry.outbox.due(Number.MAX_SAFE_INTEGER, 99).map(({ entry }) => entry);

describe("a peer that becomes active", () => {
  test("DS1 admission queues the publication of the peer's record in the same transaction", () => {
    const mesh = new TestMesh();
    mesh.storeUnavailable = true;
    mesh.execute("admit", new TestPeer(mesh, A).admitInput());
    expect(outboxEntries(mesh)).toEqual([{ kind: "publish", peerId: A.id }]);
    expect(mesh.pointers).toEqual([]);
  });

  test("DS1 a peer's pointer appears once its record is stored", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    const [pointer] = mesh.pointers;
    expect(mesh.blobs).toEqual(publishedBlobs(mesh));
    expect(pointer?.expires_at).toBe(new Date(START + EPOCH_LIFETIME).toISOString());
  });

  test("DS1 a peer stays published: its record is resealed before the old one expires", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    for (let day = 0; day < 4; day++) {
      const before = mesh.pointers;
      mesh.runFor(DAY + MINUTE);
      const [after] = mesh.pointers;
      expect(Date.parse(present(after).expires_at)).toBeGreaterThan(mesh.now);
      expect(before.map(({ blob_id }) => blob_id)).not.toContain(after?.blob_id);
    }
  });

  test("DS1 a peer has one pointer, however often it reconnects", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.join();
    peer.leave();
    peer.join();
    mesh.join(B);
    expect(mesh.pointers).toHaveLength(2);
    expect(mesh.blobs).toEqual(publishedBlobs(mesh));
  });

  test("DS2 the list of pointers contains neither peer IDs nor keys, and its order does not show the time of joining", () => {
    const mesh = new TestMesh();
    for (const key of KEYS) mesh.join(key);
    const { pointers } = mesh;
    expect(pointers.map(({ id }) => id)).toEqual(pointers.map(({ id }) => id).toSorted());
    const shown = JSON.stringify(mesh.listPointers());
    for (const { id, publicKey } of KEYS) {
      expect(shown).not.toContain(id);
      expect(shown).not.toContain(publicKey);
    }
    for (const { metadata } of pointers) expect(metadata).toEqual({});
  });

  test("DS14 all records of an epoch expire at the same time, whenever they were stored", () => {
    const mesh = new TestMesh();
    for (const key of KEYS) {
      mesh.join(key);
      mesh.runFor(HOUR);
    }
    expect(new Set(mesh.pointers.map(({ expires_at }) => expires_at)).size).toBe(1);
    expect(new Set(mesh.publications.map(({ expiresAt }) => expiresAt)).size).toBe(1);
  });
});

describe("a record that is reused", () => {
  test("DS20 a peer that reconnects unchanged within the grace period keeps its stored record", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const [before] = mesh.pointers;
    mesh.runFor(HOUR);
    for (let times = 0; times < 5; times++) {
      peer.leave();
      expect(mesh.pointers).toEqual([]);
      mesh.runFor(BLOB_GRACE_PERIOD - 1);
      peer.join();
    }
    peer.join();
    peer.observe("answered", 80);
    mesh.runFor(HOUR);
    expect(mesh.storeWrites).toBe(1);
    const [after] = mesh.pointers;
    expect(after).toMatchObject({ id: before?.id, blob_id: before?.blob_id });
    expect(present(after).seq).toBeGreaterThan(present(before).seq);
  });

  test("DS20 a peer whose public data changed gets a new record", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { name: "anna" });
    const [before] = mesh.pointers;
    peer.join({ name: "bert" });
    const [after] = mesh.pointers;
    expect(after?.id).toBe(before?.id);
    expect(after?.blob_id).not.toBe(before?.blob_id);
    expect(mesh.publications.map(({ record }) => record.name)).toEqual(["anna", "bert"]);
    expect(mesh.blobs).toEqual(publishedBlobs(mesh));
  });

  test("DS20 a record whose deletion has started is not reused: a new one is stored", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const [before] = mesh.pointers;
    peer.leave();
    mesh.advanceClock(BLOB_GRACE_PERIOD);
    mesh.storeUnavailable = true;
    peer.join();
    mesh.storeUnavailable = false;
    mesh.runFor(MINUTE);
    expect(mesh.pointers[0]?.blob_id).not.toBe(before?.blob_id);
    expect(mesh.blobs).toEqual(publishedBlobs(mesh));
  });
});

describe("a peer that is removed from discovery", () => {
  test.for(["gone", "revoke_peer", "forget_peer", "set_auth_mode"] as const)(
    "DS3 %s withdraws the peer's pointer at once and deletes its blob",
    (how) => {
      const mesh = new TestMesh();
      const peer = mesh.join(A);
      if (how === "gone") peer.leave();
      else if (how === "set_auth_mode") mesh.run(how, { mode: "allowlist" });
      else mesh.run(how, { id: A.id });
      expect(mesh.pointers).toEqual([]);
      expect(mesh.blobs.size).toBe(how === "gone" ? 1 : 0);
      mesh.runFor(BLOB_GRACE_PERIOD);
      expect(mesh.blobs.size).toBe(0);
      expect(outboxEntries(mesh)).toEqual([]);
    },
  );

  test("DS3 revoking a disconnected peer deletes its blob without waiting for the grace period", () => {
    const mesh = new TestMesh();
    mesh.join(A).leave();
    mesh.run("revoke_peer", { id: A.id });
    expect(mesh.blobs.size).toBe(0);
  });

  test("DS3 a record of a peer that disconnects while it is being stored is deleted and not published", () => {
    const mesh = new TestMesh();
    mesh.storeUnavailable = true;
    const peer = mesh.join(A);
    const { publication, ...of } = present(mesh.run("prepare_publication", { peerId: A.id }));
    peer.leave();
    mesh.run("published", { ...of, peerId: A.id, blobId: publication.blobId });
    expect(mesh.pointers).toEqual([]);
    expect(outboxEntries(mesh)).toEqual([{ kind: "delete_blob", blobId: publication.blobId }]);
  });

  test("DS3 a peer that reconnects while its old record is being stored gets a new record", () => {
    const mesh = new TestMesh();
    mesh.storeUnavailable = true;
    const peer = mesh.join(A);
    const { publication, ...of } = present(mesh.run("prepare_publication", { peerId: A.id }));
    peer.join({ name: "anna" });
    mesh.run("published", { ...of, peerId: A.id, blobId: publication.blobId });
    expect(new Set(outboxEntries(mesh))).toEqual(
      new Set([
        { kind: "publish", peerId: A.id },
        { kind: "delete_blob", blobId: publication.blobId },
      ]),
    );
    mesh.storeUnavailable = false;
    mesh.runFor(MINUTE);
    expect(mesh.pointers).toHaveLength(1);
  });
});

describe("a store that is unavailable", () => {
  test("DS4 an unavailable store does not keep a peer from becoming active and getting tasks", () => {
    const mesh = new TestMesh();
    mesh.storeUnavailable = true;
    const peer = mesh.join(A);
    const task = mesh.submit();
    expect(peer.offer.task_id).toBe(task.id);
    expect(peer.view.state).toBe("active");
  });

  test("DS4 publications and deletions are retried until the store is available again", () => {
    const mesh = new TestMesh();
    const [stays, leaves] = [mesh.join(A), mesh.join(B)];
    mesh.storeUnavailable = true;
    leaves.leave();
    stays.join({ name: "anna" });
    mesh.runFor(HOUR);
    expect(mesh.blobs.size).toBe(2);
    mesh.storeUnavailable = false;
    mesh.runFor(MINUTE);
    expect(mesh.pointers).toHaveLength(1);
    expect(mesh.blobs).toEqual(publishedBlobs(mesh));
  });

  test("DS4 retries follow a backoff that grows to one minute", () => {
    const mesh = new TestMesh();
    mesh.storeUnavailable = true;
    mesh.join(A);
    const pauses = Array.from({ length: 12 }, () => {
      const pause = (mesh.nextTick() ?? Number.NaN) - mesh.now;
      mesh.runFor(pause);
      return pause;
    });
    expect(pauses[0]).toBeLessThanOrEqual(SECOND);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(MINUTE);
    expect(Math.min(...pauses.slice(-3))).toBeGreaterThanOrEqual(MINUTE / 2);
  });

  test("DS4 retries use neither more of the KV write budget nor more blobs than a store that works", () => {
    const mesh = new TestMesh();
    mesh.storeUnavailable = true;
    mesh.join(A);
    mesh.runFor(HOUR);
    expect(mesh.registry.kvWrites.spent(mesh.now).writes).toBe(1);
    mesh.storeUnavailable = false;
    mesh.runFor(MINUTE);
    expect(mesh.rows("SELECT id FROM unsettled_blobs")).toEqual([]);
    expect(mesh.blobs).toEqual(publishedBlobs(mesh));
  });

  test("DS4 a peer that disconnects before its record is stored has no queued publication", () => {
    const mesh = new TestMesh();
    mesh.storeUnavailable = true;
    mesh.join(A).leave();
    expect(outboxEntries(mesh)).toEqual([]);
  });
});

describe("records that are stored but never published", () => {
  test("DS22 a record that was stored but never confirmed is deleted later", () => {
    const mesh = new TestMesh();
    mesh.storeUnavailable = true;
    mesh.join(A);
    const { publication } = present(mesh.run("prepare_publication", { peerId: A.id }));
    mesh.blobs.add(publication.blobId);
    mesh.run("gone", { peerId: A.id, epoch: 1, reason: "closed", silent: false });
    mesh.storeUnavailable = false;
    mesh.runFor(ORPHANED_BLOB_AGE - 1);
    expect(mesh.blobs.size).toBe(1);
    mesh.runFor(1);
    expect(mesh.blobs.size).toBe(0);
    expect(outboxEntries(mesh)).toEqual([]);
  });

  test("DS22 a record is not published once its deletion is queued", () => {
    const mesh = new TestMesh();
    mesh.storeUnavailable = true;
    mesh.join(A);
    const { publication, ...of } = present(mesh.run("prepare_publication", { peerId: A.id }));
    mesh.registry.outbox.remove({ kind: "publish", peerId: A.id });
    mesh.runFor(ORPHANED_BLOB_AGE);
    mesh.run("published", { ...of, peerId: A.id, blobId: publication.blobId });
    expect(mesh.pointers).toEqual([]);
    expect(outboxEntries(mesh)).toContainEqual({ kind: "delete_blob", blobId: publication.blobId });
  });
});

describe("the budget of KV writes", () => {
  test("DS21 an idle peer causes one KV write a day and no deletion", () => {
    const mesh = new TestMesh();
    for (let seed = 0; seed < 20; seed++) mesh.join(testKey(200 + seed));
    mesh.runFor(10 * DAY);
    expect(mesh.storeWrites).toBeLessThanOrEqual(20 * 11);
    expect(mesh.pointers).toHaveLength(20);
  });

  /** Peers that reconnect every minute with another name, for some days. */
  function flap(
    mesh: TestMesh,
    peers: readonly TestPeer[],
    days: number,
    every: number = MINUTE,
  ): void {
    for (let n = 0; n < (days * DAY) / every; n++) {
      for (const peer of peers) peer.join({ name: `anna ${n}` });
      mesh.runFor(every);
    }
  }
  const join = (mesh: TestMesh, count: number): TestPeer[] =>
    Array.from({ length: count }, (_, n) => mesh.join(testKey(300 + n)));
  const list = (mesh: TestMesh, { id, publicKey }: (typeof KEYS)[number]): void => {
    const entry = { publicKey, peerId: id, label: "", readmit: false, go_p2p: false };
    mesh.run("allow", { ...entry, roles: ["worker"] });
  };

  test("DS21 publications over the budget wait and are stored when the budget allows it again", () => {
    const mesh = new TestMesh();
    const peers = join(mesh, 12);
    for (const { key } of peers) list(mesh, key);
    flap(mesh, peers, 2, 10 * MINUTE);
    const allowed = 12 * KV_WRITES_PER_PEER_DAY + KV_WRITES_BASE_PER_DAY;
    expect(mesh.storeWrites).toBeLessThanOrEqual(3 * (allowed + 24));
    expect(mesh.storeWrites).toBeGreaterThan(allowed);
    mesh.runFor(2 * DAY);
    const newest = new Map(mesh.publications.map(({ record }) => [record.id, record.name]));
    for (const { id } of peers)
      expect(newest.get(id)).toBe(present(mesh.registry.peers.get(id)).name);
  });

  test("DS46 a peer whose record changes all the time uses up its own share of the budget, and no more", () => {
    const mesh = new TestMesh();
    const days = 2;
    flap(mesh, [mesh.join(A)], days);
    expect(mesh.publications.length).toBeLessThanOrEqual(
      (days + 1) * (KV_RECORDS_PER_PEER_DAY + 1),
    );
    mesh.join(B);
    expect(mesh.publications.at(-1)?.record.id).toBe(B.id);
    mesh.runFor(DAY);
    const last = mesh.publications.findLast(({ record }) => record.id === A.id);
    expect(last?.record.name).toBe(present(mesh.registry.peers.get(A.id)).name);
  });

  test("DS46 a used up share does not delay the record of a new epoch", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.join(B);
    mesh.runFor(DAY - 2 * HOUR);
    for (let n = 0; n < 4 * KV_RECORDS_PER_PEER_DAY; n++) {
      peer.join({ name: `anna ${n}` });
      mesh.runFor(MINUTE);
    }
    mesh.runFor(2 * HOUR);
    const epochs = mesh.registry.pointers.ofPeer(A.id).map(({ epoch }) => epoch);
    expect(Math.max(...epochs)).toBe(2);
  });

  test("DS47 strangers with ever new keys use up their part of the budget, and a listed peer is published", () => {
    const mesh = new TestMesh();
    for (let n = 0; n < 400; n++) {
      const stranger = mesh.join(testKey(1_000 + n));
      mesh.advanceClock(SECOND);
      stranger.leave();
    }
    expect(mesh.publications.length).toBeLessThan(KV_WRITES_BASE_PER_DAY / 2);
    list(mesh, A);
    mesh.join(A);
    expect(mesh.publications.at(-1)?.record.id).toBe(A.id);
  });

  test("DS21 deletions count against the budget", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    expect(mesh.registry.kvWrites.spent(mesh.now).writes).toBe(2);
    expect(mesh.storeWrites).toBe(2);
  });
});

test("DS18 a reader token does not reveal the pointer secret, and its tag does not reveal the token", () => {
  const secret = new Uint8Array(32).fill(7);
  const token = readerToken(secret);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(token).not.toBe("07".repeat(32));
  expect(readerTag(token)).not.toEqual(readerTag("0".repeat(64)));
  expect(new Set([token, readerToken(new Uint8Array(32).fill(8))]).size).toBe(2);
});
