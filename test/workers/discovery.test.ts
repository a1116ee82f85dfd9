import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { z } from "zod";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { readerToken } from "../../src/discovery/epoch-secrets.ts";
import { PointerView, type DiscoveryKeys } from "../../src/protocol/http.ts";
import { resolve, type BlobReader, type Pointer } from "../../src/stmf/index.ts";
import { openPeerRecord } from "../../src/stmf/peer-record.ts";
import { peerView, TOKEN, until } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { hexBytes, must, present } from "../must.ts";
import { call, ORIGIN, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

/** The keys that a controller receives. */
const discoveryKey = async () => {
  const { body } = await call<DiscoveryKeys>("GET", "/v1/discovery/keys");
  return hexBytes(present(body.epochs.at(-1)).private_key);
};
const headers = { Authorization: `Bearer ${TOKEN}` };

type Listed = z.infer<typeof PointerView>;

const pointers = async (): Promise<Listed[]> =>
  (await call<{ pointers: Listed[] }>("GET", "/v1/pointers")).body.pointers;

/** Waits until there are this many pointers: records are published after a peer joins. */
const published = (count: number): Promise<Listed[]> =>
  until(pointers, (found) => found.length === count);

const only = async (): Promise<Listed> => present((await published(1))[0]);

const fetchBlob = (id: string): Promise<Response> =>
  exports.default.fetch(`${ORIGIN}/v1/blobs/${id}`, { headers });

/** Reads blobs over HTTP. */
const overHttp: BlobReader = {
  async get(id) {
    const response = await fetchBlob(id);
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
  },
};

async function fieldsOf(pointer: Pointer, key?: Uint8Array): Promise<Map<string, unknown>> {
  const { fields } = await resolve(pointer, key ?? (await discoveryKey()), overHttp);
  return new Map(fields.map(({ name, value }) => [name, value]));
}

describe("the record of a peer", () => {
  it("DS5 is read over HTTP, opens with the discovery key and describes the peer", async () => {
    const peer = await GoPeer.join({ name: "the fast one" });
    const fields = await fieldsOf(await only());
    const seen = await peerView(peer.keys.id);
    expect(Object.fromEntries(fields)).toMatchObject({
      id: peer.keys.id,
      name: "the fast one",
      public_key: seen.public_key,
      role: "worker",
      added_at: seen.added_at,
      hops: "1",
      connected: "true",
    });
  });

  it("DS5 does not open with another key, nor with the mesh's other keys", async () => {
    const peer = await GoPeer.join();
    const pointer = await only();
    for (const key of ["11", "22", "33"].map((byte) => hexBytes(byte.repeat(32))))
      await expect(fieldsOf(pointer, key)).rejects.toThrow();
    await expect(fieldsOf(pointer, peer.keys.privateKey)).rejects.toThrow();
    await expect(fieldsOf(pointer, newKeyPair(platformRandom).privateKey)).rejects.toThrow();
  });

  it("DS5 has the hash of the peer's key as its ID", async () => {
    const peer = await GoPeer.join();
    const blob = present(await overHttp.get((await only()).blob_id));
    expect(must(openPeerRecord(blob, await discoveryKey())).id).toBe(peer.keys.id);
  });

  it("DS1 is published only after the peer has proved its key", async () => {
    const peer = await GoPeer.connect();
    await peer.handshake();
    await call("GET", "/v1/peers");
    expect(await pointers()).toEqual([]);
    await peer.prove();
    expect(await published(1)).toHaveLength(1);
  });

  it("DS1 has a pointer and a blob for each peer, with new random IDs", async () => {
    const peers = await Promise.all([1, 2, 3].map(() => GoPeer.join()));
    const found = await published(3);
    const ids = await Promise.all(
      found.map(async (pointer) => String((await fieldsOf(pointer)).get("id"))),
    );
    expect(ids.toSorted()).toEqual(peers.map(({ keys }) => keys.id).toSorted());
    const names = found.flatMap(({ id, blob_id }) => [id, blob_id]);
    expect(new Set([...names, ...ids]).size).toBe(9);
  });

  it("DS1 is also found by its pointer's ID", async () => {
    await GoPeer.join();
    const pointer = await only();
    const { body } = await call<Listed>("GET", `/v1/pointers/${pointer.id}`);
    expect(body).toEqual(pointer);
    expect(Date.parse(PointerView.strict().parse(body).expires_at)).toBeGreaterThan(Date.now());
  });

  it("DS1 is served as bytes that must not be cached or rendered", async () => {
    await GoPeer.join();
    const { blob_id } = await only();
    const response = await fetchBlob(blob_id);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe("STMF");
  });

  it("DS2 reveals nothing about its peer without the key", async () => {
    const peer = await GoPeer.join({ name: "unmistakable" });
    const pointer = await only();
    expect(pointer.metadata).toEqual({});
    const { public_key: publicKey } = await peerView(peer.keys.id);
    const blob = new TextDecoder("latin1").decode(present(await overHttp.get(pointer.blob_id)));
    for (const told of ["unmistakable", peer.keys.id, publicKey]) {
      expect(JSON.stringify(pointer)).not.toContain(told);
      expect(blob).not.toContain(told);
    }
  });
});

/** Advances the time until the blob of a disconnected peer is removed. */
async function lingering(): Promise<void> {
  const coordinator = env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));
  await runInDurableObject(coordinator, (_, { storage }) => {
    storage.sql.exec("UPDATE outbox SET due_at = 0 WHERE kind = 'delete_blob'");
  });
  await runDurableObjectAlarm(coordinator);
}

describe("a peer that is gone", () => {
  it.each(["leaves", "is revoked", "is forgotten", "no longer qualifies"])(
    "DS3 has neither pointer nor blob after it %s",
    async (how) => {
      const stays = await GoPeer.join();
      await call("PUT", `/v1/allowlist/${(await peerView(stays.keys.id)).public_key}`, {
        json: {},
      });
      const kept = await only();
      const peer = await GoPeer.join();
      const gone = present((await published(2)).find(({ id }) => id !== kept.id));
      expect((await fetchBlob(gone.blob_id)).status).toBe(200);

      const path = `/v1/peers/${peer.keys.id}`;
      if (how === "leaves") peer.close();
      if (how === "is revoked") await call("POST", `${path}/revoke`);
      if (how === "is forgotten") await call("DELETE", path);
      if (how === "no longer qualifies")
        await call("PUT", "/v1/auth-mode", { json: { mode: "allowlist" } });

      expect((await published(1)).map(({ id }) => id)).toEqual([kept.id]);
      problemOf(await call("GET", `/v1/pointers/${gone.id}`), "not_found");
      await lingering();
      await until(
        () => fetchBlob(gone.blob_id),
        ({ status }) => status === 404,
      );
      expect((await fetchBlob(kept.blob_id)).status).toBe(200);
    },
  );

  it("DS3 has no pointer once the call that ends its session has returned", async () => {
    const peer = await GoPeer.join();
    await only();
    await call("POST", `/v1/peers/${peer.keys.id}/revoke`);
    expect(await pointers()).toEqual([]);
  });

  it("DS3 has no blob in the store", async () => {
    const peer = await GoPeer.join();
    const { blob_id } = await only();
    expect((await env.BLOBS.list()).keys.map(({ name }) => name)).toEqual([`blob:${blob_id}`]);
    peer.close();
    await published(0);
    await lingering();
    await until(
      async () => (await env.BLOBS.list()).keys,
      (keys) => keys.length === 0,
    );
  });

  it("DS20 has a pointer again when it reconnects", async () => {
    const first = await GoPeer.join();
    const before = await only();
    first.close();
    await published(0);
    await GoPeer.join({ keys: first.keys });
    const after = await only();
    expect(after).toMatchObject({ id: before.id, blob_id: before.blob_id });
    expect(after.seq).toBeGreaterThan(before.seq);
    expect((await fieldsOf(after)).get("id")).toBe(first.keys.id);
  });

  it("DS3 is not shown by an expired pointer", async () => {
    await GoPeer.join();
    const { id } = await only();
    const coordinator = env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));
    await runInDurableObject(coordinator, (_, state) => {
      state.storage.sql.exec("UPDATE pointers SET expires_at = ?", Date.now() - 1);
    });
    expect(await pointers()).toEqual([]);
    problemOf(await call("GET", `/v1/pointers/${id}`), "not_found");
  });
});

describe("a resource that is absent, expired, or not allowed for the caller", () => {
  /** A whole answer, and the number of reads of the blob store for it. */
  async function answerTo(path: string, authorization: string | null) {
    const get = vi.spyOn(Object.getPrototypeOf(env.BLOBS) as KVNamespace, "get");
    const response = await exports.default.fetch(`${ORIGIN}${path}`, {
      headers: authorization === null ? {} : { Authorization: authorization },
    });
    const answer = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      bytes: [...new Uint8Array(await response.arrayBuffer())],
      storeReads: get.mock.calls.length,
    };
    get.mockRestore();
    return answer;
  }

  it("DS17 has the same answer, after the same number of reads of the blob store", async () => {
    await GoPeer.join();
    const { id, blob_id } = await only();
    const allowed = headers.Authorization;
    for (const [there, kind] of [
      [id, "pointers"],
      [blob_id, "blobs"],
    ] as const) {
      const absent = await answerTo(`/v1/${kind}/${"0".repeat(32)}`, allowed);
      expect(absent).toMatchObject({ status: 404, storeReads: kind === "blobs" ? 1 : 0 });
      for (const shown of [null, "", "Basic eDp5", "Bearer nonsense", `${allowed}x`])
        expect(await answerTo(`/v1/${kind}/${there}`, shown)).toEqual(absent);
      expect((await answerTo(`/v1/${kind}/${there}`, allowed)).status).toBe(200);
    }
  });

  it("DS18 is readable for members with the reader token derived from their keys", async () => {
    await GoPeer.join();
    const { id, blob_id } = await only();
    const { body } = await call<DiscoveryKeys>("GET", "/v1/discovery/keys");
    const token = readerToken(hexBytes(present(body.epochs.at(-1)).pointer_secret));
    for (const path of [`/v1/pointers/${id}`, `/v1/blobs/${blob_id}`, "/v1/pointers"])
      expect((await answerTo(path, `Bearer ${token}`)).status).toBe(200);
    for (const path of ["/v1/peers", "/v1/tasks", "/v1/discovery/keys"])
      expect((await answerTo(path, `Bearer ${token}`)).status).toBe(401);
  });
});
