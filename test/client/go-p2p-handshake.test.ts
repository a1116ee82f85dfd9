import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toBase64, toHex } from "../../src/base/bytes.ts";
import { connectPeer } from "../../src/client/peer/connect-peer.ts";

import { generateIdentity } from "../../src/client/keys.ts";
import { FakeMesh } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Long enough for every reconnect that there could be. */
const longAfter = () => vi.advanceTimersByTimeAsync(10 * 60_000);

describe("the handshake that the peer sends", () => {
  test("names its key, the ID that follows from it, its role and what it can do", () => {
    const mesh = new FakeMesh();
    const keys = generateIdentity();
    mesh.connect({
      privateKey: keys,
      name: "box 1",
      role: "dual",
      capabilities: ["gpu"],
      slots: 3,
    });
    const { envelope, identity, version } = mesh.last.open();
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

  test("carries a fresh challenge each time", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    const first = mesh.last.open().challenge;
    mesh.last.close(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(mesh.sessions).toHaveLength(2);
    expect(mesh.last.open().challenge).not.toBe(first);
  });

  test("is of the key that was given, in hex, in bytes or as a pair", () => {
    const keys = generateIdentity();
    const mesh = new FakeMesh();
    for (const privateKey of [toHex(keys.privateKey), keys.privateKey, keys]) {
      expect(mesh.connect({ privateKey }).id).toBe(keys.id);
    }
  });
});

describe("the mesh's answer", () => {
  test("makes the peer ready once welcome follows", async () => {
    const mesh = new FakeMesh();
    const { peer } = mesh.join();
    expect(peer.state).toBe("active");
    await expect(peer.ready).resolves.toMatchObject({ id: mesh.keys.id });
    expect(mesh.eventsOf("ready")).toMatchObject([{ peerId: peer.id, epoch: 1, role: "worker" }]);
  });

  test("alone does not make the peer ready", () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    mesh.last.ack();
    expect(peer.state).toBe("joining");
  });

  test("by another key than the pinned one ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const pinned = toHex(generateIdentity().publicKey);
    const peer = mesh.connect({ meshKey: pinned });
    mesh.last.open();
    mesh.last.ack();
    const error = { code: "mesh_key_mismatch", message: expect.stringContaining(pinned) };
    await expect(peer.closed).rejects.toMatchObject(error);
    await expect(peer.ready).rejects.toMatchObject(error);
    expect(mesh.last.socket.closedWith).not.toBeNull();
    await longAfter();
    expect(mesh.sessions).toHaveLength(1);
  });

  test("by the pinned key is taken, also when the pin is given in bytes", () => {
    const mesh = new FakeMesh();
    expect(mesh.join({ meshKey: toHex(mesh.keys.publicKey) }).peer.state).toBe("active");
    expect(mesh.join({ meshKey: mesh.keys.publicKey }).peer.state).toBe("active");
  });

  test("by another key than the one met first is refused after a reconnect", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.close(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    const impostor = generateIdentity();
    mesh.last.open();
    mesh.last.ack({ id: impostor.id, publicKey: toBase64(impostor.publicKey) });
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_key_mismatch" });
  });

  test("whose challenge response is wrong ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    mesh.last.ack({ challengeResponse: toBase64(new Uint8Array(32)) });
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_unproved" });
    await longAfter();
    expect(mesh.sessions).toHaveLength(1);
  });

  test("without a challenge response ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    mesh.last.ack({ challengeResponse: "" });
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_unproved" });
  });

  test("whose ID is not its key's ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    mesh.last.ack({ id: "0".repeat(32) });
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_unproved" });
  });

  test("with a key of low order ends the peer for good", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    mesh.last.ack({
      publicKey: toBase64(new Uint8Array(32)),
      id: "66687aadf862bd776c8fc18b8e9f8e20",
    });
    await expect(peer.closed).rejects.toThrow("did not prove the mesh key");
  });

  test("that says no ends the peer with the mesh's reason", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    mesh.last.ack({ accepted: false, reason: "version 1.0 is switched off" });
    await expect(peer.closed).rejects.toMatchObject({
      code: "handshake_refused",
      message: "version 1.0 is switched off",
    });
    await longAfter();
    expect(mesh.sessions).toHaveLength(1);
  });

  test("that can't be read drops the socket, and the peer dials again", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    mesh.last.text("welcome to the captive portal");
    expect(peer.state).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(mesh.sessions).toHaveLength(2);
  });

  test("that never comes drops the socket, and the peer dials again", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(peer.state).toBe("waiting");
    expect(mesh.last.socket.closedWith).toEqual({ code: 4408 });
  });
});

describe("options that can't be right throw a TypeError that says why:", () => {
  const url = "http://mesh.test";
  test.each([
    ["a URL of another scheme", { url: "ftp://mesh.test" }, /http/],
    ["a URL that is none", { url: "mesh.test" }, /http/],
    ["a key that is too short", { url, privateKey: "abcd" }, /64 hex/],
    ["a mesh key that is not hex", { url, meshKey: "z".repeat(64) }, /64 hex/],
    ["a name with odd characters", { url, name: "<b>" }, /name/],
    ["a capability with a space", { url, capabilities: ["a b"] }, /capability/],
    ["more slots than there can be", { url, slots: 100_000 }, /slots/],
  ])("%s", (_what, options, message) => {
    expect(() => connectPeer(options)).toThrow(TypeError);
    expect(() => connectPeer(options)).toThrow(message);
  });

  test("and the error never shows the private key", () => {
    const privateKey = `${"ab".repeat(31)}zz`;
    const attempt = () => connectPeer({ url, privateKey });
    expect(attempt).toThrow(/private key/);
    expect(attempt).not.toThrow(/abab/);
  });
});
