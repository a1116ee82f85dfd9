import { describe, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { blobKey, storeRecord } from "../../src/discovery/sealed-records.ts";
import { newOpaqueId } from "../../src/protocol/ids.ts";
import { openPeerRecord, type PeerRecord } from "../../src/stmf/peer-record.ts";
import { must, mustFail, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { MemoryStore } from "./memory-store.ts";

const NOW = 1_767_225_600_000;
const epoch = newKeyPair(seededRandom(1));
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
  capabilities: ["gpu"],
  kinds: ["echo", "render"],
  region: "weur",
};

async function stored(record = RECORD, publicKey: Uint8Array = epoch.publicKey) {
  const store = new MemoryStore(() => NOW);
  const random = seededRandom(3);
  const blobId = newOpaqueId(random);
  const publication = { record, blobId, publicKey, expiresAt: NOW + 1_000 };
  const storing = () => storeRecord(publication, store, random);
  await storing();
  return { store, storing, blob: present(await store.get(blobKey(blobId))) };
}

describe("storing a record", () => {
  test("DS1 a record is sealed to the epoch's key and stored under the given blob ID", async () => {
    const { store, blob } = await stored();
    expect(store.size).toBe(1);
    expect(must(openPeerRecord(blob, epoch.privateKey))).toEqual(RECORD);
  });

  test("DS14 a stored record expires with its epoch", async () => {
    expect((await stored()).store.expiries).toEqual([NOW + 1_000]);
  });

  test("DS1 storing the same record again gives different bytes", async () => {
    const { store, storing, blob } = await stored();
    await storing();
    const [again] = store.contents;
    expect(again).not.toEqual(blob);
    expect(again).toHaveLength(blob.length);
  });

  test("DS2 the stored bytes contain neither the peer's ID, key, name nor address", async () => {
    const text = new TextDecoder("latin1").decode((await stored()).blob);
    for (const secret of [RECORD.id, RECORD.public_key, RECORD.name, RECORD.address])
      expect(text).not.toContain(secret);
  });

  test("DS5 no other key opens a stored record, not even the peer's own", async () => {
    const { blob } = await stored();
    for (const key of [peer.privateKey, newKeyPair(seededRandom(4)).privateKey])
      expect(mustFail(openPeerRecord(blob, key)).code).toBe("container_sealed_otherwise");
  });

  test("DS5 a record whose ID does not belong to its key is refused", async () => {
    const { blob } = await stored({ ...RECORD, id: epoch.id });
    expect(mustFail(openPeerRecord(blob, epoch.privateKey)).code).toBe("identity_mismatch");
  });

  test("DS4 storing a record rejects when the store fails, so that it is retried", async () => {
    const { store, storing } = await stored();
    store.put = () => Promise.reject(new Error("the store is down"));
    await expect(storing()).rejects.toThrow("the store is down");
  });

  test("rejects with a coded fault when the epoch's key is unusable", async () => {
    const storing = stored(RECORD, new Uint8Array(32));
    await expect(storing).rejects.toMatchObject({ name: "StmfError", code: expect.any(String) });
  });
});
