import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { toBase64 } from "../../src/base/bytes.ts";
import { answerChallenge } from "../../src/crypto/challenge.ts";
import { peerIdOf, sharedSecret } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { HANDSHAKE_BYTES_MAX, HANDSHAKE_TIMEOUT } from "../../src/protocol/constants.ts";
import type { MeshView } from "../../src/protocol/http.ts";
import { bytesOf, hexBytes, present } from "../must.ts";
import { api, attachments, newSessionStub, peerView, rows } from "./api.ts";
import { Timers } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const OTHER_ID = "0123456789abcdef0123456789abcdef";

/** The registry's peers, in any state. */
const known = () => rows("SELECT id FROM peers");

describe("the go-p2p handshake", () => {
  it("HS1 a handshake is acknowledged with the answer to its challenge, followed by an encrypted ping", async () => {
    const peer = await GoPeer.connect();
    const challenge = platformRandom(32);
    const { payload } = await peer.handshake({ challenge: toBase64(challenge) });
    const { identity } = payload as { identity: { publicKey: string } };
    const secret = present(sharedSecret(peer.keys.privateKey, bytesOf(identity.publicKey)));
    expect(payload).toMatchObject({
      accepted: true,
      identity: { id: peer.meshId, role: "controller" },
      challengeResponse: toBase64(answerChallenge(secret, challenge, 1)),
    });
    expect(await peer.read()).toMatchObject({ type: "ping", from: peer.meshId, to: peer.keys.id });
  });

  it("HS1 a handshake may name a placeholder for the mesh and use go-p2p's own path", async () => {
    const peer = await GoPeer.connect({ path: "/ws" });
    const ack = await peer.handshake({}, { to: "00000000" });
    expect(ack.payload).toMatchObject({ accepted: true });
  });

  it("HS3 an ID that does not match its key is refused", async () => {
    const peer = await GoPeer.connect();
    const identity = { ...peer.identity(), id: OTHER_ID };
    const ack = await peer.handshake({ identity }, { from: OTHER_ID });
    expect(ack.payload).toMatchObject({ accepted: false });
    const closed = await peer.closed;
    expect(closed).toMatchObject({ code: 4401, reason: /^identity_mismatch: / });
  });

  it("HS3 a handshake whose sender is another ID is refused", async () => {
    const peer = await GoPeer.connect();
    const ack = await peer.handshake({}, { from: OTHER_ID });
    expect(ack.payload).toMatchObject({ accepted: false });
    expect(await peer.closed).toMatchObject({ code: 4401, reason: /^identity_mismatch: / });
  });

  it.each([
    ["of 31 bytes", "aa".repeat(31)],
    ["of 33 bytes", "aa".repeat(33)],
    ["of 0 bytes", ""],
    // RFC 7748 and Wycheproof: every point of order 8 or less, and their non-canonical encodings.
    ["of order 4", "00".repeat(32)],
    ["of order 1", `01${"00".repeat(31)}`],
    ["of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
    ["of order 8 again", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
    ["of order 2", `ec${"ff".repeat(30)}7f`],
    ["that is the prime", `ed${"ff".repeat(30)}7f`],
    ["one above the prime", `ee${"ff".repeat(30)}7f`],
  ])("HS4 a public key %s is refused", async (_, hex) => {
    const key = hexBytes(hex);
    const id = peerIdOf(key);
    const peer = await GoPeer.connect();
    const identity = { ...peer.identity(), id, publicKey: toBase64(key) };
    const ack = await peer.handshake({ identity }, { from: id });
    expect(ack.payload).toMatchObject({ accepted: false });
    expect(await peer.closed).toMatchObject({ code: 4401, reason: /^bad_key: / });
  });

  it.each(["not base64!", "AAAA=", 7, null])(
    "HS4 %j is refused as a public key",
    async (publicKey) => {
      const peer = await GoPeer.connect();
      const ack = await peer.handshake({ identity: { ...peer.identity(), publicKey } });
      expect(ack.payload).toMatchObject({ accepted: false });
      expect(await peer.closed).toMatchObject({ code: 4401, reason: /^bad_key: / });
    },
  );

  it.each(["", "0.9", "1", "1.0.0", "2.0"])(
    "HS5 version %j is refused with the supported version",
    async (version) => {
      const peer = await GoPeer.connect();
      const ack = await peer.handshake({ version });
      expect(ack).toMatchObject({ type: "handshake_ack", payload: { accepted: false } });
      expect((ack.payload as { reason: string }).reason).toContain("1.0");
      expect(await peer.closed).toMatchObject({ code: 4401, reason: /^version_unsupported: / });
    },
  );

  it.each([
    ["that is not JSON", (): string => "hello"],
    ["that is not a message", (): string => "{}"],
    ["of another type", (peer: GoPeer) => JSON.stringify(peer.compose("ping", { sentAt: 1 }))],
    ["that is an ack", (peer: GoPeer) => JSON.stringify(peer.compose("handshake_ack", {}))],
    ["that nests too deeply", (): string => "[".repeat(10_000)],
    ["of one byte over the limit", (): string => "x".repeat(HANDSHAKE_BYTES_MAX + 1)],
    ["that is binary", (): Uint8Array => new Uint8Array([123, 125])],
  ])("HS6 a first frame %s is refused", async (_, frame) => {
    const peer = await GoPeer.connect();
    peer.socket.send(frame(peer));
    expect(await peer.closed).toMatchObject({ code: 4400 });
  });

  it("HS6 a handshake of the largest allowed size is accepted", async () => {
    const peer = await GoPeer.connect();
    const challenge = toBase64(platformRandom(32));
    const whole = { identity: peer.identity(), challenge, version: "1.0", padding: "" };
    const bare = JSON.stringify(peer.compose("handshake", whole)).length;
    const ack = await peer.handshake({ padding: "x".repeat(HANDSHAKE_BYTES_MAX - bare) });
    expect(ack.payload).toMatchObject({ accepted: true });
  });
});

describe("the proof of a key", () => {
  it.each([
    ["answers another ping", { replyTo: crypto.randomUUID() }],
    ["has no replyTo", { replyTo: undefined }],
    ["comes from another peer", { from: OTHER_ID }],
    ["is addressed to another peer", { to: OTHER_ID }],
    ["has no recipient", { to: "" }],
  ])("HS2 a pong that %s does not prove the key", async (_, forged) => {
    const object = newSessionStub();
    const peer = await GoPeer.connect({ object });
    await peer.handshake();
    const ping = await peer.read();
    const replyTo = ping.id;
    peer.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo, ...forged });
    expect(await peer.read()).toMatchObject({ type: "error" });
    expect(await attachments(object)).toMatchObject([{ state: "proving" }]);
    expect(await known()).toEqual([]);
    // The valid pong is still accepted.
    peer.pong(ping);
    expect(await peer.read()).toMatchObject({ type: "welcome" });
    expect(await attachments(object)).toMatchObject([{ state: "active" }]);
  });

  it("HS2 nothing is stored and no peer is listed before the proof", async () => {
    const object = newSessionStub();
    const peer = await GoPeer.connect({ object });
    const stored = () =>
      runInDurableObject(object, async (_, { storage }) => [
        (await storage.list()).size,
        await storage.getAlarm(),
      ]);
    await peer.handshake();
    const ping = await peer.read();
    expect(await stored()).toEqual([0, null]);
    expect(await known()).toEqual([]);
    expect(await rows("SELECT kind FROM outbox")).toEqual([]);
    peer.pong(ping);
    await peer.read();
    expect(await stored()).toEqual([1, expect.any(Number)]);
    expect(await known()).toEqual([{ id: peer.keys.id }]);
  });

  it("HS2 replaying all frames of an earlier session does not prove the key", async () => {
    const honest = await GoPeer.connect();
    await honest.handshake();
    const ping = await honest.read();
    const pong = honest.seal(
      honest.compose("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id }),
    );
    honest.sendFrame(pong);
    await honest.read();
    honest.close();
    const thief = await GoPeer.connect();
    await thief.handshake({ identity: honest.identity() }, { from: honest.keys.id });
    for (let times = 0; times < 3; times++) thief.sendFrame(pong);
    expect(await thief.closed).toMatchObject({ code: 4401 });
    expect(await rows("SELECT epoch FROM peers")).toEqual([{ epoch: 1 }]);
  });

  it("HS9 a peer that announces muster gets a welcome after its proof", async () => {
    const mesh = await api<MeshView>("GET", "/v1/mesh");
    const peer = await GoPeer.connect({ role: "dual" });
    await peer.handshake();
    const { id, name, public_key } = mesh.body;
    expect(await peer.prove()).toMatchObject({
      type: "welcome",
      payload: {
        peer_id: peer.keys.id,
        epoch: 1,
        role: "worker",
        mesh: { id, name, public_key },
      },
    });
  });

  it("HS9 a plain go-p2p node gets no welcome", async () => {
    const peer = await GoPeer.join({ muster: null });
    expect(await peer.catchUp()).toEqual([]);
    expect(await peerView(peer.keys.id)).toMatchObject({ connected: true, state: "active" });
  });

  it("HS9 the welcome carries the new epoch at each reconnect", async () => {
    const keys = newKeyPair(platformRandom);
    for (const epoch of [1, 2, 3]) {
      const peer = await GoPeer.connect({ keys });
      await peer.handshake();
      expect(await peer.prove()).toMatchObject({ payload: { epoch } });
    }
  });
});

describe("the deadline of a handshake", () => {
  it("HS7 a socket without a handshake is closed with 4408", async () => {
    const timers = new Timers(HANDSHAKE_TIMEOUT);
    const object = newSessionStub();
    const peer = await GoPeer.connect({ object });
    await timers.ring(object);
    expect(await peer.closed).toMatchObject({ code: 4408, reason: /^handshake_timeout: / });
  });

  it("HS7 a bare go-p2p controller, which pings but never pongs, is closed with 4401", async () => {
    const timers = new Timers(HANDSHAKE_TIMEOUT);
    const object = newSessionStub();
    const peer = await GoPeer.connect({ object, role: "controller", muster: null });
    await peer.handshake();
    peer.send("ping", { sentAt: 1 });
    peer.send("get_stats", null);
    await timers.ring(object);
    expect(await peer.closed).toMatchObject({ code: 4401, reason: /^proof_failed: / });
    expect(await known()).toEqual([]);
  });

  it("HS7 the deadline does not affect a peer that has proved its key", async () => {
    const timers = new Timers(HANDSHAKE_TIMEOUT);
    const object = newSessionStub();
    const peer = await GoPeer.join({ object });
    await timers.ring(object);
    expect(await peer.catchUp()).toEqual([]);
  });

  it.each([
    ["handshake", 4408],
    ["proof", 4401],
  ])("HS7 the deadline starts again when memory was lost before the %s", async (missing, code) => {
    const timers = new Timers(HANDSHAKE_TIMEOUT);
    const object = newSessionStub();
    const peer = await GoPeer.connect({ object });
    if (missing === "proof") await peer.handshake();
    await timers.clear(object);
    await evictDurableObject(object);
    await timers.ring(object);
    expect(await peer.closed).toMatchObject({ code });
  });

  it("HS19 a handshake continues when memory was lost before and during it", async () => {
    const timers = new Timers(HANDSHAKE_TIMEOUT);
    const object = newSessionStub();
    const peer = await GoPeer.connect({ object });
    await timers.clear(object);
    await evictDurableObject(object);
    await peer.handshake();
    await timers.clear(object);
    await evictDurableObject(object);
    expect(await peer.prove()).toMatchObject({ type: "welcome" });
    expect(await peer.catchUp()).toEqual([]);
  });
});
