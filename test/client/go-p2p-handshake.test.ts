import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toBase64, toHex } from "../../src/base/bytes.ts";
import { connectPeer } from "../../src/client/peer/connect-peer.ts";

import { generateIdentity } from "../../src/client/keys.ts";
import { FakeMesh } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Longer than any reconnect delay. */
const longAfter = () => vi.advanceTimersByTimeAsync(10 * 60_000);

describe("the handshake that a peer sends by go-p2p", () => {
  test("contains its key, the ID derived from it, its role, capabilities and slots", () => {
    const mesh = new FakeMesh();
    const keys = generateIdentity();
    mesh.connect({
      privateKey: keys,
      name: "box 1",
      role: "dual",
      capabilities: ["gpu"],
      slots: 3,
    });
    const { envelope, identity, version } = mesh.lastSession.open();
    expect(envelope).toMatchObject({ type: "handshake", from: keys.id, to: "" });
    expect(version).toBe("1.0");
    expect(identity).toMatchObject({
      id: keys.id,
      publicKey: toBase64(keys.publicKey),
      name: "box 1",
      role: "dual",
      muster: { v: 1, capabilities: ["gpu"], slots: 3 },
    });
  });

  test("contains a fresh challenge each time", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    const first = mesh.lastSession.open().challenge;
    mesh.lastSession.close(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(mesh.sessions).toHaveLength(2);
    expect(mesh.lastSession.open().challenge).not.toBe(first);
  });

  test("uses the given key, in hex, in bytes or as a key pair", () => {
    const keys = generateIdentity();
    const mesh = new FakeMesh();
    for (const privateKey of [toHex(keys.privateKey), keys.privateKey, keys]) {
      expect(mesh.connect({ privateKey }).id).toBe(keys.id);
    }
  });
});

describe("the mesh's answer to a go-p2p handshake", () => {
  test("makes the peer ready once a welcome follows", async () => {
    const mesh = new FakeMesh();
    const { peer } = mesh.join();
    expect(peer.state).toBe("active");
    await expect(peer.ready).resolves.toMatchObject({ id: mesh.keys.id });
    expect(mesh.eventsOf("ready")).toMatchObject([{ peerId: peer.id, epoch: 1, role: "worker" }]);
  });

  test("alone does not make the peer ready", () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack();
    expect(peer.state).toBe("joining");
  });

  test("with another key than the pinned one ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const pinned = toHex(generateIdentity().publicKey);
    const peer = mesh.connect({ meshKey: pinned });
    mesh.lastSession.open();
    mesh.lastSession.ack();
    const error = { code: "mesh_key_mismatch", message: expect.stringContaining(pinned) };
    await expect(peer.closed).rejects.toMatchObject(error);
    await expect(peer.ready).rejects.toMatchObject(error);
    expect(mesh.lastSession.socket.closedWith).not.toBeNull();
    await longAfter();
    expect(mesh.sessions).toHaveLength(1);
  });

  test("with the pinned key is accepted, also when the key was given in bytes", () => {
    const mesh = new FakeMesh();
    expect(mesh.join({ meshKey: toHex(mesh.keys.publicKey) }).peer.state).toBe("active");
    expect(mesh.join({ meshKey: mesh.keys.publicKey }).peer.state).toBe("active");
  });

  test("with another key than the first session's is refused after a reconnect", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.close(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    const impostor = generateIdentity();
    mesh.lastSession.open();
    mesh.lastSession.ack({ id: impostor.id, publicKey: toBase64(impostor.publicKey) });
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_key_mismatch" });
  });

  test("whose challenge response is wrong ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack({ challengeResponse: toBase64(new Uint8Array(32)) });
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_unproved" });
    await longAfter();
    expect(mesh.sessions).toHaveLength(1);
  });

  test("without a challenge response ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack({ challengeResponse: "" });
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_unproved" });
  });

  test("whose ID does not belong to its key ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack({ id: "0".repeat(32) });
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_unproved" });
  });

  test("with a key of low order ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack({
      publicKey: toBase64(new Uint8Array(32)),
      id: "66687aadf862bd776c8fc18b8e9f8e20",
    });
    await expect(peer.closed).rejects.toThrow("did not prove the mesh key");
  });

  test("that refuses the peer ends it with the mesh's reason", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack({ accepted: false, reason: "version 1.0 is switched off" });
    await expect(peer.closed).rejects.toMatchObject({
      code: "handshake_refused",
      message: "version 1.0 is switched off",
    });
    await longAfter();
    expect(mesh.sessions).toHaveLength(1);
  });

  test("that is not valid drops the socket, and the peer dials again", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.text("welcome to the captive portal");
    expect(peer.state).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(mesh.sessions).toHaveLength(2);
  });

  test("that does not arrive in time drops the socket, and the peer dials again", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(peer.state).toBe("waiting");
    expect(mesh.lastSession.socket.closedWith).toEqual({ code: 4408 });
  });
});

describe("connectPeer throws a TypeError that names the problem for", () => {
  const url = "http://mesh.test";
  test.each([
    ["a URL of another scheme", { url: "ftp://mesh.test" }, /http/],
    ["a text that is not a URL", { url: "mesh.test" }, /http/],
    ["a key that is too short", { url, privateKey: "abcd" }, /64 hex/],
    ["a mesh key that is not hex", { url, meshKey: "z".repeat(64) }, /64 hex/],
    ["a name with characters that are not permitted", { url, name: "<b>" }, /name/],
    ["a capability with a space", { url, capabilities: ["a b"] }, /capability/],
    ["too many slots", { url, slots: 100_000 }, /slots/],
  ])("%s", (_what, options, message) => {
    expect(() => connectPeer(options)).toThrow(TypeError);
    expect(() => connectPeer(options)).toThrow(message);
  });

  test("a bad private key, without the key in the text", () => {
    const privateKey = `${"ab".repeat(31)}zz`;
    const attempt = () => connectPeer({ url, privateKey });
    expect(attempt).toThrow(/private key/);
    expect(attempt).not.toThrow(/abab/);
  });
});
