import { reset, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MINUTE } from "../../src/base/clock.ts";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/identity.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { openPeerRecord } from "../../src/stmf/peer-record.ts";
import { hexBytes, must } from "../must.ts";
import { api, coordinatorStub, giveTask, peerView, pointers, rows, taskEnd, until } from "./api.ts";
import { breakStore } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

/** MESH_DISCOVERY_KEY of vitest.config.ts. */
const DISCOVERY_KEY = hexBytes("22".repeat(32));

const stored = async () => (await env.BLOBS.list()).keys.map(({ name }) => name);
const blobNames = (published: readonly { blob_id: string }[]) =>
  published.map(({ blob_id }) => `blob:${blob_id}`);
const onePointer = () => until(pointers, ({ length }) => length === 1);

/** The record that a blob holds, opened as the mesh's own resolver would. */
async function recordOf(blobId: string) {
  const bytes = await env.BLOBS.get(`blob:${blobId}`, "arrayBuffer");
  return must(openPeerRecord(new Uint8Array(bytes ?? new ArrayBuffer()), DISCOVERY_KEY));
}

/** Lets the coordinator try again what it owes. */
async function tryAgain(): Promise<void> {
  vi.setSystemTime(Date.now() + MINUTE);
  await runDurableObjectAlarm(coordinatorStub());
}

describe("publication", () => {
  it("DS1 seals an active peer's record to the discovery key and publishes a pointer to it", async () => {
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

  it("DS1 publishes nothing of a peer that has not proved its key", async () => {
    const peer = await GoPeer.connect();
    await peer.handshake();
    await tryAgain();
    expect(await pointers()).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  it("DS1 stores under a fresh ID at each return, and leaves no blob behind", async () => {
    const keys = newKeyPair(platformRandom);
    await GoPeer.join({ keys });
    const [before] = await onePointer();
    await GoPeer.join({ keys });
    const [after] = await until(pointers, ([pointer]) => pointer?.id !== before?.id);
    expect(after?.blob_id).not.toBe(before?.blob_id);
    expect(await until(stored, ({ length }) => length === 1)).toEqual(blobNames(await pointers()));
  });

  it("DS2 reveals nothing of the peer in its pointer", async () => {
    const peer = await GoPeer.join({ name: "anna" });
    const [pointer] = await onePointer();
    expect(pointer).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      blob_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      metadata: {},
      expires_at: expect.any(String) as string,
    });
    const { id } = peer.keys;
    for (const opaque of [pointer?.id, pointer?.blob_id]) expect(opaque).not.toBe(id);
    const bytes = await env.BLOBS.get(`blob:${pointer?.blob_id}`, "text");
    for (const secret of ["anna", id, toHex(peer.keys.publicKey)])
      expect(bytes).not.toContain(secret);
  });

  it("DS3 is withdrawn when the peer leaves, and its blob deleted", async () => {
    const peer = await GoPeer.join();
    const [pointer] = await onePointer();
    peer.close();
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "stale",
    );
    expect(await pointers()).toEqual([]);
    expect((await api("GET", `/v1/pointers/${pointer?.id}`)).status).toBe(404);
    await until(stored, ({ length }) => length === 0);
  });
});

describe("a blob store that is down", () => {
  it("DS4 keeps nobody from joining or working, and the record is published once it is back", async () => {
    const put = breakStore("put");
    const peer = await GoPeer.join();
    const { id } = await giveTask("echo", null);
    await peer.readType("task_offer");
    peer.send("task_result", { task_id: id, fence: 1, ok: true, result: 1 });
    expect(await taskEnd(id)).toMatchObject({ state: "succeeded" });
    await until(async () => put.mock.calls.length, Boolean);
    for (const tries of [2, 3, 4]) {
      await tryAgain();
      expect(put).toHaveBeenCalledTimes(tries);
    }
    expect(await pointers()).toEqual([]);
    put.mockRestore();
    await tryAgain();
    const [pointer] = await pointers();
    expect(await recordOf(String(pointer?.blob_id))).toMatchObject({ id: peer.keys.id });
  });

  it("DS4 publishes nothing of a peer that has left before the store came back", async () => {
    const put = breakStore("put");
    const peer = await GoPeer.join();
    await until(async () => put.mock.calls.length, Boolean);
    peer.close();
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "stale",
    );
    put.mockRestore();
    await tryAgain();
    expect(await pointers()).toEqual([]);
    expect(await stored()).toEqual([]);
    expect(await rows("SELECT kind FROM outbox")).toEqual([]);
  });

  it("DS4 withdraws a pointer all the same, and deletes the blob once it is back", async () => {
    const peer = await GoPeer.join();
    await onePointer();
    const remove = breakStore("delete");
    peer.close();
    await until(async () => remove.mock.calls.length, Boolean);
    expect(await pointers()).toEqual([]);
    await tryAgain();
    expect(remove).toHaveBeenCalledTimes(2);
    expect(await stored()).toHaveLength(1);
    remove.mockRestore();
    await tryAgain();
    expect(await stored()).toEqual([]);
  });
});
