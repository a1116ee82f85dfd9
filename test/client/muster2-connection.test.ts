import { describe, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { OptionsError, type PeerError } from "../../src/client/errors.ts";
import { generateIdentity } from "../../src/client/keys.ts";
import { readMeshLink } from "../../src/client/mesh-link.ts";
import { NoiseMesh } from "./noise-mesh.ts";
import { waitFor } from "../wait-for.ts";

const KEY = "ab".repeat(32);

/** The error of a peer that never becomes ready. */
const failure = (ready: Promise<unknown>): Promise<PeerError> =>
  ready.then(
    () => Promise.reject(new Error("it became ready")),
    (error: PeerError) => error,
  );

describe("a peer that dials by muster.2", () => {
  test("joins a mesh whose key it has pinned, and sends its hello", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({
      meshKey: mesh.keys.publicKey,
      name: "one",
      capabilities: ["gpu"],
      slots: 3,
    });
    expect((await peer.ready).public_key).toBe(toHex(mesh.keys.publicKey));
    expect(mesh.admitted).toMatchObject([
      {
        peerId: peer.id,
        name: "one",
        capabilities: ["gpu"],
        slots: 3,
        protocol: "muster/2",
        joinKey: null,
      },
    ]);
    await peer.close();
  });

  test("pins the key of the first mesh that it reaches", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect();
    await peer.ready;
    mesh.keys = generateIdentity();
    mesh.dropSocket();
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_key_mismatch" });
  });

  test("refuses a mesh that does not have the pinned key, with an error that names both keys", async () => {
    const mesh = new NoiseMesh();
    const error = await failure(mesh.connect({ meshKey: generateIdentity().publicKey }).ready);
    expect(error.code).toBe("mesh_key_mismatch");
    expect(mesh.admitted).toEqual([]);
  });

  test("refuses a server that does not hold the mesh's key", async () => {
    const mesh = new NoiseMesh();
    mesh.serverKeys = generateIdentity();
    const error = await failure(mesh.connect({ meshKey: mesh.keys.publicKey }).ready);
    expect(error.code).toBe("mesh_unproved");
    expect(mesh.admitted).toEqual([]);
  });

  test("corrects its clock offset by the mesh's clock, once per session", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    for (const hours of [1, -2]) {
      mesh.clock = () => Date.now() + hours * 3_600_000;
      mesh.dropSocket();
      await waitFor(() => expect(peer.state).toBe("active"));
    }
    expect(mesh.problemCodes).toEqual(["clock_skew", "clock_skew"]);
    await peer.close();
  });

  test("backs off if the corrected clock is refused again", async () => {
    const mesh = new NoiseMesh();
    let hours = 0;
    mesh.clock = () => Date.now() + ++hours * 3_600_000;
    const problems = Promise.withResolvers<readonly string[]>();
    const peer = mesh.connect({
      meshKey: mesh.keys.publicKey,
      onEvent: ({ type }) => {
        if (type === "disconnected") problems.resolve([...mesh.problemCodes]);
      },
    });
    expect(await problems.promise).toEqual(["clock_skew", "clock_skew"]);
    await peer.close();
  });

  test.each([
    ["not_allowed", { code: "not_allowed", detail: "not on the list" }],
    ["revoked", { code: "revoked", detail: "this key was revoked" }],
    ["join_key_invalid", { code: "join_key_invalid", detail: "used up" }],
  ] as const)("stays away when the mesh says %s, with the tagged error", async (code, refuses) => {
    const mesh = new NoiseMesh();
    mesh.admissionError = refuses;
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    expect((await failure(peer.ready)).code).toBe(code);
    expect(mesh.events).toContainEqual({ type: "rejected", code, reason: refuses.detail });
    expect(peer.state).toBe("closed");
  });

  test("sends its join key to the mesh whose key it has pinned", async () => {
    const mesh = new NoiseMesh();
    const url = `muster://mesh.test/#${toHex(mesh.keys.publicKey)}&join=mjk_secret`;
    const peer = mesh.connect({ url });
    await peer.ready;
    expect(mesh.admitted[0]?.joinKey).toBe("mjk_secret");
    await peer.close();
  });

  test("refuses a join key without a pinned mesh key, and for go-p2p 1.0", () => {
    const mesh = new NoiseMesh();
    expect(() => mesh.connect({ joinKey: "mjk_secret" })).toThrow(OptionsError);
    expect(() =>
      mesh.connect({ joinKey: "mjk_secret", meshKey: KEY, protocol: "go-p2p/1.0" }),
    ).toThrow(OptionsError);
  });

  test("accepts the announced next key once the mesh has changed to it", async () => {
    const mesh = new NoiseMesh();
    mesh.next = generateIdentity();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    expect((await peer.ready).next_public_key).toBe(toHex(mesh.next.publicKey));
    mesh.keys = mesh.next;
    mesh.next = null;
    mesh.dropSocket();
    await waitFor(() => expect(mesh.admitted).toHaveLength(2));
    expect(peer.state).not.toBe("closed");
    await peer.close();
  });
});

describe("rotate", () => {
  test("resolves once the mesh has welcomed the peer under the new key", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    const before = peer.id;
    const fresh = generateIdentity();
    const rotated = peer.rotate(fresh);
    await waitFor(() => expect(mesh.rotations).toEqual([fresh.id]));
    await mesh.dispatch({
      type: "end",
      fault: { code: "rotated", detail: "reconnect with the new key" },
    });
    expect((await rotated).id).toBe(fresh.id);
    expect(peer.id).toBe(fresh.id);
    expect(peer.id).not.toBe(before);
    expect(mesh.events).toContainEqual({ type: "rotated", peerId: fresh.id });
    await peer.close();
  });

  test("switches to the new key when the mesh refuses the old one as rotated", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    const fresh = generateIdentity();
    const rotated = peer.rotate(fresh);
    await waitFor(() => expect(mesh.rotations).toEqual([fresh.id]));
    mesh.rotatedIds.add(peer.id);
    mesh.dropSocket();
    expect((await rotated).id).toBe(fresh.id);
    await peer.close();
  });

  test("rejects when the mesh welcomes the peer under the old key again", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    const before = peer.id;
    const rotated = peer.rotate();
    mesh.dropSocket();
    await expect(rotated).rejects.toMatchObject({ code: "rotation_failed" });
    expect(peer.id).toBe(before);
    await peer.close();
  });

  test("does not switch keys on a revocation: the peer does not reconnect", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    const rotated = peer.rotate();
    await mesh.dispatch({
      type: "end",
      fault: { code: "revoked", detail: "this key was revoked" },
    });
    await expect(rotated).rejects.toMatchObject({ code: "rotation_failed" });
    await expect(peer.closed).rejects.toMatchObject({ code: "revoked" });
  });

  test("rejects when the mesh refuses, and the peer keeps its key", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    mesh.serverKeys = generateIdentity(); // the proof is for another key than the one that verifies it
    await expect(peer.rotate()).rejects.toMatchObject({ code: "rotation_failed" });
    expect(peer.state).toBe("active");
    await peer.close();
  });

  test("rejects while the peer is not active", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await expect(peer.rotate()).rejects.toMatchObject({ code: "rotation_failed" });
    await peer.close();
  });
});

describe("readMeshLink", () => {
  test.each([
    ["muster://mesh.example/#" + KEY, "https://mesh.example/", null],
    ["muster://mesh.example:8443/#" + KEY + "&join=mjk_1", "https://mesh.example:8443/", "mjk_1"],
    ["muster://127.0.0.1:8787/#" + KEY, "http://127.0.0.1:8787/", null],
    ["muster://localhost/#" + KEY, "http://localhost/", null],
  ])("parses %s", (text, url, joinKey) => {
    expect(readMeshLink(text)).toEqual({ url, meshKey: KEY, joinKey });
  });

  test.each(["muster://mesh.example/", "muster://mesh.example/#abc", "muster:///#" + KEY])(
    "throws an OptionsError for %s",
    (text) => {
      expect(() => readMeshLink(text)).toThrow(OptionsError);
    },
  );

  test("returns null for any other URL", () => {
    expect(readMeshLink("https://mesh.example/#" + KEY)).toBeNull();
  });

  test("connectPeer refuses a link whose key is not the meshKey option", () => {
    const url = `muster://mesh.example/#${KEY}`;
    expect(() => new NoiseMesh().connect({ url, meshKey: "cd".repeat(32) })).toThrow(OptionsError);
  });
});
