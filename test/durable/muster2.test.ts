import { env } from "cloudflare:workers";
import { evictDurableObject, listDurableObjectIds, reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { peerIdOf } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { makeRotationProof } from "../../src/crypto/key-proofs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { PeerView } from "../../src/protocol/http.ts";
import { api, submitTask, peerView, awaitTaskEnd, until } from "./api.ts";
import { GoPeer } from "./go-peer.ts";
import { connectUrl, dial, HOST, MESH_KEYS, NoisePeer } from "./noise-peer.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

/** The sessions' objects that there are, with those that were deleted. */
const objects = async () => (await listDurableObjectIds(env.PEER_SESSION)).length;
const objectOf = (peerId: string) => env.PEER_SESSION.get(env.PEER_SESSION.idFromName(peerId));

describe("the upgrade request of a muster.2 session", () => {
  const keys = newKeyPair(platformRandom);
  const stranger = newKeyPair(platformRandom);

  it.each([
    ["no proof of the key", { proof: "00".repeat(32) }, 401, "proof_failed"],
    ["an ID that is not the key's", { peer: stranger.id }, 400, "identity_mismatch"],
    [
      "another key than the one that made the proof",
      { peer: stranger.id, pub: toHex(stranger.publicKey) },
      401,
      "proof_failed",
    ],
    ["a mesh key that the mesh does not have", { mesh: stranger.id }, 409, "mesh_key_unknown"],
    [
      "another time than the one in the proof",
      // In the past: by the time of the test, no later time could be the one that the proof has.
      { t: String(Math.floor(Date.now() / 1_000) - 1) },
      401,
      "proof_failed",
    ],
    ["a malformed ID", { peer: "../secret" }, 400, "invalid_request"],
    ["a time that is not a number", { t: "soon" }, 400, "invalid_request"],
  ])("NX1 an upgrade request with %s is refused", async (_, forged, status, code) => {
    const before = await objects();
    const refused = await dial(await connectUrl(keys, forged));
    expect(refused.status).toBe(status);
    expect(await refused.json()).toMatchObject({ code });
    expect(await objects()).toBe(before);
  });

  it("NX1 a clock that is off by more than a minute is refused with the time of the mesh", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const now = new Date().toISOString();
    for (const skew of [-61, 61]) {
      const url = await connectUrl(keys, {}, MESH_KEYS, Math.floor(Date.now() / 1_000) + skew);
      const refused = await dial(url);
      expect(refused.status).toBe(401);
      const problem = await refused.json<{ code: string; time: string }>();
      expect([problem.code, problem.time]).toEqual(["clock_skew", now]);
    }
  });

  it("NX1 a proof for another host is refused", async () => {
    const refused = await dial((await connectUrl(keys)).replace(HOST, "elsewhere.test"), {
      Host: "elsewhere.test",
    });
    expect(await refused.json()).toMatchObject({ code: "proof_failed" });
  });

  it("NX1 another encoding of a key, which has another ID, is refused", async () => {
    const publicKey = keys.publicKey.with(31, (keys.publicKey[31] as number) | 0x80);
    const twin = { ...keys, publicKey, id: peerIdOf(publicKey) };
    const refused = await dial(await connectUrl(twin));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ code: "bad_key" });
    const peer = await GoPeer.connect({ keys: twin });
    await peer.handshake();
    expect((await peer.closed).code).toBe(4401);
  });

  it("NX1 a request without an upgrade is answered with an explanation", async () => {
    const explained = await api(
      "GET",
      (await connectUrl(keys, { proof: "00".repeat(32) })).replace(`http://${HOST}`, ""),
    );
    expect(explained.body).toMatchObject({ code: "proof_failed" });
  });

  it("NX7 a peer may have two sockets in their handshake, and no third", async () => {
    const [first, second] = [await NoisePeer.connect({ keys }), await NoisePeer.connect({ keys })];
    const third = await dial(await connectUrl(keys));
    expect(third.status).toBe(429);
    expect(await third.json()).toMatchObject({ code: "rate_limited", retry_after: 10 });
    await first.begin();
    await first.prove();
    await first.readType("welcome");
    expect((await dial(await connectUrl(keys))).status).toBe(101);
    second.close();
  });
});

describe("a muster.2 session", () => {
  it("NX4 a peer that proved its key gets a welcome and runs tasks", async () => {
    const peer = await NoisePeer.join({ hello: { capabilities: ["gpu"], slots: 3 } });
    expect(await peerView(peer.keys.id)).toMatchObject({
      state: "active",
      protocol: "muster/2",
      capabilities: ["gpu"],
      slots: 3,
    });
    const task = await submitTask("echo", { text: "hello" });
    const offer = await peer.readType("task_offer");
    expect(offer.payload).toMatchObject({ task_id: task.id, fence: 1 });
    peer.send("task_accept", { task_id: task.id, fence: 1 });
    peer.send("task_result", { task_id: task.id, fence: 1, ok: true, result: "hello" });
    expect(await awaitTaskEnd(task.id)).toMatchObject({ state: "succeeded", result: "hello" });
  });

  it("NX4 a peer that is not admitted gets the reason before the close", async () => {
    await api("PUT", "/v1/auth-mode", { mode: "allowlist" });
    const peer = await NoisePeer.connect();
    await peer.begin();
    await peer.prove();
    expect(await peer.read()).toMatchObject({
      type: "rejection",
      payload: { code: "not_allowed" },
    });
    expect((await peer.closed).code).toBe(4403);
  });

  it.each([
    ["is not JSON", "hello", 4400],
    ["lacks its role", { name: "x" }, 4400],
    ["is larger than 8 KiB", { name: "x", role: "worker", padding: "x".repeat(8_192) }, 4400],
  ])("NX4 a hello that %s ends the session", async (_, hello, code) => {
    const peer = await NoisePeer.connect();
    await peer.begin();
    await peer.prove(hello);
    expect((await peer.closed).code).toBe(code);
  });

  it("NX3 a proof of another key than that of the URL ends the session", async () => {
    const peer = await NoisePeer.connect();
    Object.assign(peer, { keys: newKeyPair(platformRandom) });
    await peer.begin();
    await peer.prove();
    expect(await peer.closed).toMatchObject({
      code: 4401,
      reason: expect.stringContaining("identity_mismatch"),
    });
    expect((await api("GET", `/v1/peers/${peer.keys.id}`)).status).toBe(404);
  });

  it("NX3 a handshake message out of order ends the session", async () => {
    const peer = await NoisePeer.connect();
    peer.socket.send(new Uint8Array(10));
    expect((await peer.closed).code).toBe(4401);
  });

  it.each([
    ["repeated", (frames: Uint8Array[]) => [frames[0], frames[0]]],
    ["skipped", (frames: Uint8Array[]) => [frames[1]]],
    ["reordered", (frames: Uint8Array[]) => [frames[1], frames[0]]],
    ["altered", (frames: Uint8Array[]) => [frames[0]?.with(3, (frames[0][3] ?? 0) ^ 1)]],
    ["cut short", (frames: Uint8Array[]) => [frames[0]?.subarray(1)]],
  ])("NX5 a frame that is %s ends the session", async (_, disturb) => {
    const peer = await NoisePeer.join();
    const frames = [
      peer.seal(peer.compose("ping", { sentAt: 1 })),
      peer.seal(peer.compose("ping", { sentAt: 2 })),
    ];
    for (const frame of disturb(frames)) peer.socket.send(frame as Uint8Array<ArrayBuffer>);
    expect(await peer.closed).toMatchObject({
      code: 4400,
      reason: expect.stringContaining("undecryptable"),
    });
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "stale",
    );
  });

  it("NX6 the session continues with its keys and counters after its object hibernated", async () => {
    const peer = await NoisePeer.join();
    for (const sentAt of [1, 2, 3]) {
      peer.send("ping", { sentAt });
      expect(await peer.readType("pong")).toMatchObject({ payload: { sentAt } });
      await evictDurableObject(objectOf(peer.keys.id));
    }
  });

  it("HS20 frames that arrive together are handled one after another", async () => {
    const peer = await NoisePeer.join();
    const sent = Array.from({ length: 40 }, (_, sentAt) => peer.send("ping", { sentAt }));
    for (const { id } of sent) expect((await peer.readType("pong")).replyTo).toBe(id);
  });

  it("HS18 a newer session in the same object supersedes the older one", async () => {
    const older = await NoisePeer.join();
    const newer = await NoisePeer.join({ keys: older.keys });
    expect((await older.closed).code).toBe(4409);
    newer.send("ping", { sentAt: 5 });
    expect(await newer.readType("pong")).toMatchObject({ payload: { sentAt: 5 } });
    expect(await peerView(newer.keys.id)).toMatchObject({ state: "active" });
    newer.close();
    await until(
      () => peerView(newer.keys.id),
      ({ state }) => state === "stale",
    );
  });

  it("RL2 a session is closed when its waiting frames exceed the memory limit", async () => {
    const peer = await NoisePeer.join();
    const [large] = [new Uint8Array(1_048_576)];
    const task = crypto.randomUUID();
    for (let i = 0; i < 3; i++) peer.send("task_progress", { task_id: task, fence: 1 });
    for (let i = 0; i < 8; i++) peer.socket.send(large);
    expect([4400, 4429]).toContain((await peer.closed).code);
  });

  it("RL2 a session is closed when it sends more than 100 messages at once", async () => {
    const peer = await NoisePeer.join();
    for (let i = 0; i < 160; i++) peer.send("ping", { sentAt: i });
    expect(await peer.closed).toMatchObject({
      code: 4429,
      reason: expect.stringContaining("rate_limited"),
    });
  });
});

describe("a key that has used muster.2", () => {
  it("NX10 the key is refused over go-p2p 1.0 unless its allowlist entry permits it", async () => {
    const peer = await NoisePeer.join();
    peer.close();
    const weaker = await GoPeer.connect({ keys: peer.keys });
    await weaker.handshake();
    const ping = await weaker.read();
    weaker.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
    expect(await weaker.closed).toMatchObject({
      code: 4403,
      reason: expect.stringContaining("downgrade_refused"),
    });

    await api("PUT", `/v1/allowlist/${toHex(peer.keys.publicKey)}`, { go_p2p: true });
    await GoPeer.join({ keys: peer.keys });
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "active", protocol: "go-p2p/1.0" });
  });

  it("NX10 the key is refused over go-p2p 1.0 after its record was removed, too", async () => {
    const peer = await NoisePeer.join();
    expect((await api("DELETE", `/v1/peers/${peer.keys.id}`)).status).toBe(204);
    const weaker = await GoPeer.connect({ keys: peer.keys });
    await weaker.handshake();
    const ping = await weaker.read();
    weaker.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
    expect(await weaker.closed).toMatchObject({ code: 4403 });
  });

  it("NX8 a key rotation moves everything to the new key, and the old key is refused from then on", async () => {
    const old = newKeyPair(platformRandom);
    await api("PUT", "/v1/auth-mode", { mode: "allowlist" });
    await api("PUT", `/v1/allowlist/${toHex(old.publicKey)}`, {
      label: "the lab",
      roles: ["worker"],
    });
    const peer = await NoisePeer.join({ keys: old });
    const task = await submitTask("echo", "x");
    await peer.readType("task_offer");
    peer.send("task_accept", { task_id: task.id, fence: 1 });

    const fresh = newKeyPair(platformRandom);
    const publicKey = toHex(fresh.publicKey);
    const keys = { privateKey: fresh.privateKey, publicKey: MESH_KEYS.publicKey };
    const wrong = peer.send("rotate", { public_key: publicKey, proof: "00".repeat(32) });
    expect(await peer.readType("error")).toMatchObject({
      replyTo: wrong.id,
      payload: { code: 1002 },
    });
    peer.send("rotate", {
      public_key: publicKey,
      proof: makeRotationProof(keys, old.id, publicKey) as string,
    });
    expect(await peer.closed).toMatchObject({
      code: 4403,
      reason: expect.stringContaining("rotated"),
    });

    const renewed = await NoisePeer.join({ keys: fresh });
    renewed.send("task_result", { task_id: task.id, fence: 1, ok: true, result: "done" });
    expect(await awaitTaskEnd(task.id)).toMatchObject({ state: "succeeded", peer_id: fresh.id });
    expect((await api<PeerView>("GET", `/v1/peers/${old.id}`)).body.id).toBe(fresh.id);
    expect((await api<{ entries: object[] }>("GET", "/v1/allowlist")).body.entries).toMatchObject([
      { public_key: publicKey, label: "the lab" },
    ]);

    const readmitted = await api("PUT", `/v1/allowlist/${toHex(old.publicKey)}`, { readmit: true });
    expect(readmitted.status).toBe(409);
    const stolen = await NoisePeer.connect({ keys: old });
    await stolen.begin();
    await stolen.prove();
    expect((await stolen.closed).code).toBe(4403);
  });

  it("SC26 RTTs to other peers are reported over muster.2 and shown over HTTP, and refused over go-p2p 1.0", async () => {
    const [peer, other] = [await NoisePeer.join(), await NoisePeer.join()];
    const go = await GoPeer.join();
    const rtts = [{ peer_id: other.keys.id, rtt_ms: 12.5 }];
    const sent = go.send("rtts", { rtts });
    expect(await go.readType("error")).toMatchObject({
      replyTo: sent.id,
      payload: { code: 1002 },
    });
    peer.send("rtts", { rtts });
    const path = `/v1/peers/${other.keys.id}/rtt/${peer.keys.id}`;
    const pair = await until(
      async () => (await api("GET", path)).body,
      ({ observed }) => observed === true,
    );
    expect(pair).toMatchObject({ rtt_ms: 12.5, basis: "observed", observed_ms: 12.5 });
    expect((await api("GET", `/v1/peers/${other.keys.id}/rtt/${"0".repeat(32)}`)).status).toBe(404);
  });

  it("NX8 a key rotation over go-p2p 1.0 is refused", async () => {
    const peer = await GoPeer.join();
    const fresh = newKeyPair(platformRandom);
    const keys = { privateKey: fresh.privateKey, publicKey: MESH_KEYS.publicKey };
    const publicKey = toHex(fresh.publicKey);
    const proof = makeRotationProof(keys, peer.keys.id, publicKey) as string;
    const sent = peer.send("rotate", { public_key: publicKey, proof });
    expect(await peer.readType("error")).toMatchObject({
      replyTo: sent.id,
      payload: { code: 1002 },
    });
  });
});
