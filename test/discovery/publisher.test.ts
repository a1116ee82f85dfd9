import { describe, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/identity.ts";
import { publishRecord } from "../../src/discovery/publisher.ts";
import type { BlobStore } from "../../src/discovery/blob-store.ts";
import { BLOB_TTL } from "../../src/protocol/constants.ts";
import { resolve } from "../../src/stmf/index.ts";
import { openPeerRecord, peerForm, type PeerRecord } from "../../src/stmf/peer-record.ts";
import { must, mustFail, present } from "../must.ts";
import { seededRandom } from "../random.ts";

const discovery = newKeyPair(seededRandom(1));
const peer = newKeyPair(seededRandom(2));

const RECORD: PeerRecord = {
  id: peer.id,
  name: "atlas",
  public_key: toHex(peer.publicKey),
  address: "203.0.113.7",
  role: "worker",
  added_at: "2026-01-02T03:04:05.000Z",
  last_seen: null,
  ping_ms: 12.5,
  hops: 1,
  geo_km: null,
  score: 0.8125,
  connected: true,
};

/** A blob store in memory, with a note of what it was asked. */
class MemoryBlobs implements BlobStore {
  readonly blobs = new Map<string, Uint8Array>();
  readonly lives: number[] = [];

  async get(id: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.blobs.get(id)?.slice() ?? null;
  }
  async put(id: string, bytes: Uint8Array, ttlSeconds: number): Promise<void> {
    this.blobs.set(id, bytes.slice());
    this.lives.push(ttlSeconds);
  }
  async delete(id: string): Promise<void> {
    this.blobs.delete(id);
  }
}

async function published(record = RECORD, seed = 3) {
  const store = new MemoryBlobs();
  const random = seededRandom(seed);
  const publish = () => publishRecord(record, discovery.publicKey, store, random);
  return { store, publish, pointer: await publish() };
}

describe("publishing a record", () => {
  test("DS1 seals it to the discovery key and stores it under the ID that the pointer names", async () => {
    const { store, pointer } = await published();
    const blob = present(store.blobs.get(pointer.blob_id));
    expect(store.blobs.size).toBe(1);
    expect(must(openPeerRecord(blob, discovery.privateKey))).toEqual(RECORD);
    expect(await resolve(pointer, discovery.privateKey, store)).toEqual(peerForm(RECORD));
  });

  test("DS1 asks the store to keep the blob for its life, in seconds", async () => {
    expect((await published()).store.lives).toEqual([BLOB_TTL / 1_000]);
  });

  test("DS1 uses fresh IDs and a fresh seal each time, also for the same record", async () => {
    const { store, publish, pointer } = await published();
    const again = await publish();
    const ids = [pointer.id, pointer.blob_id, again.id, again.blob_id];
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(store.blobs.get(pointer.blob_id)).not.toEqual(store.blobs.get(again.blob_id));
  });

  test("DS2 says nothing of the peer in the pointer, whose metadata is empty", async () => {
    const { pointer } = await published();
    expect(Object.keys(pointer).toSorted()).toEqual(["blob_id", "id", "metadata"]);
    expect(pointer.metadata).toEqual({});
  });

  test("DS2 shows the store nothing of the record: neither ID, key, name nor address", async () => {
    const { store, pointer } = await published();
    const text = new TextDecoder("latin1").decode(present(store.blobs.get(pointer.blob_id)));
    for (const secret of [RECORD.id, RECORD.public_key, RECORD.name, RECORD.address])
      expect(text).not.toContain(secret);
  });

  test("DS5 is opened by no other key, the peer's own included", async () => {
    const { store, pointer } = await published();
    const blob = present(store.blobs.get(pointer.blob_id));
    for (const key of [peer.privateKey, newKeyPair(seededRandom(4)).privateKey])
      expect(mustFail(openPeerRecord(blob, key)).code).toBe("container_sealed_otherwise");
  });

  test("DS5 is not believed when the ID in it does not belong to its key", async () => {
    const { store, pointer } = await published({ ...RECORD, id: discovery.id });
    const blob = present(store.blobs.get(pointer.blob_id));
    expect(mustFail(openPeerRecord(blob, discovery.privateKey)).code).toBe("identity_mismatch");
  });

  test("DS4 fails when the store does, so that the debt stands", async () => {
    const store = new MemoryBlobs();
    store.put = () => Promise.reject(new Error("the store is down"));
    const publishing = publishRecord(RECORD, discovery.publicKey, store, seededRandom(3));
    await expect(publishing).rejects.toThrow("the store is down");
  });

  test("fails with a fault that has a code when the discovery key is of no use", async () => {
    const store = new MemoryBlobs();
    const publishing = publishRecord(RECORD, new Uint8Array(32), store, seededRandom(3));
    await expect(publishing).rejects.toMatchObject({ name: "StmfError", code: expect.any(String) });
    expect(store.blobs.size).toBe(0);
  });
});
