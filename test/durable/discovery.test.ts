import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MINUTE } from "../../src/base/clock.ts";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { DiscoveryKeys } from "../../src/protocol/discovery.ts";
import { openPeerRecord } from "../../src/stmf/peer-record.ts";
import { hexBytes, must, present } from "../must.ts";
import {
  api,
  coordinatorStub,
  submitTask,
  peerView,
  pointers,
  rows,
  awaitTaskEnd,
  until,
} from "./api.ts";
import { failStore } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const stored = async () => (await env.BLOBS.list()).keys.map(({ name }) => name);
const blobNames = (published: readonly { blob_id: string }[]) =>
  published.map(({ blob_id }) => `blob:${blob_id}`);
const onePointer = () => until(pointers, ({ length }) => length === 1);

const keys = async () => (await api<DiscoveryKeys>("GET", "/v1/discovery/keys")).body;

/** The record in a blob, opened with the discovery key that members get. */
async function recordOf(blobId: string) {
  const bytes = await env.BLOBS.get(`blob:${blobId}`, "arrayBuffer");
  const key = hexBytes(present((await keys()).epochs.at(-1)).private_key);
  return must(openPeerRecord(new Uint8Array(bytes ?? new ArrayBuffer()), key));
}

/** Runs the coordinator's alarm when its outbox is due again. */
async function retryOutbox(): Promise<void> {
  vi.setSystemTime(Date.now() + MINUTE);
  await runDurableObjectAlarm(coordinatorStub());
}

describe("publication of peer records", () => {
  it("DS1 the record of an active peer is sealed to the discovery key and a pointer to it is published", async () => {
    const peer = await GoPeer.join({ name: "anna" });
    const [pointer] = await onePointer();
    expect(await recordOf(String(pointer?.blob_id))).toMatchObject({
      id: peer.keys.id,
      name: "anna",
      public_key: toHex(peer.keys.publicKey),
      role: "worker",
      connected: true,
    });
    expect(await stored()).toEqual(blobNames(await pointers()));
  });

  it("DS1 nothing is published for a peer that has not proved its key", async () => {
    const peer = await GoPeer.connect();
    await peer.handshake();
    await retryOutbox();
    expect(await pointers()).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  it("DS1 a changed record is stored under a fresh ID, and the old blob is deleted", async () => {
    const own = newKeyPair(platformRandom);
    await GoPeer.join({ keys: own, name: "anna" });
    const [before] = await onePointer();
    await GoPeer.join({ keys: own, name: "bert" });
    const [after] = await until(
      pointers,
      ([pointer]) => pointer !== undefined && pointer.blob_id !== before?.blob_id,
    );
    expect(after?.id).toBe(before?.id);
    expect(await until(stored, ({ length }) => length === 1)).toEqual(blobNames(await pointers()));
  });

  it("DS20 a peer that reconnects unchanged causes no store write", async () => {
    const put = vi.spyOn(Object.getPrototypeOf(env.BLOBS) as KVNamespace, "put");
    const own = newKeyPair(platformRandom);
    const peer = await GoPeer.join({ keys: own });
    const [before] = await onePointer();
    peer.close();
    await until(pointers, ({ length }) => length === 0);
    await GoPeer.join({ keys: own });
    const [after] = await onePointer();
    expect(after).toMatchObject({ id: before?.id, blob_id: before?.blob_id });
    expect(put).toHaveBeenCalledTimes(1);
  });

  it("DS8 after a member is revoked, records are sealed again with keys that the member never had", async () => {
    const stays = await GoPeer.join({ name: "anna" });
    const member = await GoPeer.join();
    await until(pointers, ({ length }) => length === 2);
    const had = await keys();
    await runInDurableObject(coordinatorStub(), (_, { storage }) => {
      storage.sql.exec("INSERT INTO key_holders VALUES (?, 1)", `peer:${member.keys.id}`);
      storage.sql.exec("UPDATE discovery_epochs SET opened_at = opened_at - 3600000");
    });
    await api("POST", `/v1/peers/${member.keys.id}/revoke`);
    await retryOutbox();
    const [pointer] = await until(pointers, ([first]) => first?.epoch === 2);
    expect(await recordOf(String(pointer?.blob_id))).toMatchObject({ id: stays.keys.id });
    expect(had.epochs.map(({ epoch }) => epoch)).toEqual([1]);
    expect((await keys()).epochs.map(({ epoch }) => epoch)).toEqual([2]);
  });

  it("DS2 a pointer reveals nothing about its peer", async () => {
    const peer = await GoPeer.join({ name: "anna" });
    const [pointer] = await onePointer();
    expect(pointer).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      blob_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      metadata: {},
      epoch: 1,
      seq: 1,
      expires_at: expect.any(String) as string,
      signature: expect.stringMatching(/^[0-9a-f]{128}$/) as string,
    });
    const { id } = peer.keys;
    for (const opaque of [pointer?.id, pointer?.blob_id]) expect(opaque).not.toBe(id);
    const bytes = await env.BLOBS.get(`blob:${pointer?.blob_id}`, "text");
    for (const secret of ["anna", id, toHex(peer.keys.publicKey)])
      expect(bytes).not.toContain(secret);
  });

  it("DS3 the pointer is withdrawn when its peer leaves, and its blob is deleted", async () => {
    const peer = await GoPeer.join();
    const [pointer] = await onePointer();
    peer.close();
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "stale",
    );
    expect(await pointers()).toEqual([]);
    expect((await api("GET", `/v1/pointers/${pointer?.id}`)).status).toBe(404);
    // The blob is kept for a moment, because the peer may reconnect; then it is deleted.
    expect(await stored()).toHaveLength(1);
    await retryOutbox();
    await retryOutbox();
    await until(stored, ({ length }) => length === 0);
  });
});

describe("a blob store that is down", () => {
  it("DS4 peers join and work while the store is down, and records are published once it is back", async () => {
    const put = failStore("put");
    const peer = await GoPeer.join();
    const { id } = await submitTask("echo", null);
    await peer.readType("task_offer");
    peer.send("task_result", { task_id: id, fence: 1, ok: true, result: 1 });
    expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded" });
    await until(async () => put.mock.calls.length, Boolean);
    for (const tries of [2, 3, 4]) {
      await retryOutbox();
      expect(put).toHaveBeenCalledTimes(tries);
    }
    expect(await pointers()).toEqual([]);
    put.mockRestore();
    await retryOutbox();
    const [pointer] = await pointers();
    expect(await recordOf(String(pointer?.blob_id))).toMatchObject({ id: peer.keys.id });
  });

  it("DS4 no record is published for a peer that left before the store came back", async () => {
    const put = failStore("put");
    const peer = await GoPeer.join();
    await until(async () => put.mock.calls.length, Boolean);
    peer.close();
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "stale",
    );
    put.mockRestore();
    await retryOutbox();
    expect(await pointers()).toEqual([]);
    expect(await stored()).toEqual([]);
    expect(await rows("SELECT kind FROM outbox")).toEqual([]);
  });

  it("DS4 a pointer is withdrawn while the store is down, and its blob is deleted once it is back", async () => {
    const peer = await GoPeer.join();
    await onePointer();
    const remove = failStore("delete");
    await api("DELETE", `/v1/peers/${peer.keys.id}`);
    await until(async () => remove.mock.calls.length, Boolean);
    expect(await pointers()).toEqual([]);
    await retryOutbox();
    expect(remove).toHaveBeenCalledTimes(2);
    expect(await stored()).toHaveLength(1);
    remove.mockRestore();
    await retryOutbox();
    expect(await stored()).toEqual([]);
  });
});
