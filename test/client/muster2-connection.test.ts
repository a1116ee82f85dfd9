import { describe, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { OptionsError, type PeerError } from "../../src/client/errors.ts";
import { generateIdentity } from "../../src/client/keys.ts";
import { readMeshLink } from "../../src/client/mesh-link.ts";
import { NoiseMesh } from "./noise-mesh.ts";
import { waitFor } from "../wait-for.ts";

const KEY = "ab".repeat(32);

/** How a peer that never becomes ready ended. */
const failure = (ready: Promise<unknown>): Promise<PeerError> =>
  ready.then(
    () => Promise.reject(new Error("it became ready")),
    (error: PeerError) => error,
  );

describe("a peer that speaks muster.2", () => {
  test("joins a mesh whose key it has pinned, and says who it is", async () => {
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

  test("believes the first mesh that it meets, and holds to its key afterwards", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect();
    await peer.ready;
    mesh.keys = generateIdentity();
    mesh.cut();
    await expect(peer.closed).rejects.toMatchObject({ code: "mesh_key_mismatch" });
  });

  test("refuses a mesh that does not have the pinned key, loudly", async () => {
    const mesh = new NoiseMesh();
    const error = await failure(mesh.connect({ meshKey: generateIdentity().publicKey }).ready);
    expect(error.code).toBe("mesh_key_mismatch");
    expect(mesh.admitted).toEqual([]);
  });

  test("refuses whoever answers for the mesh without holding its key", async () => {
    const mesh = new NoiseMesh();
    mesh.holds = generateIdentity();
    const error = await failure(mesh.connect({ meshKey: mesh.keys.publicKey }).ready);
    expect(error.code).toBe("mesh_unproved");
    expect(mesh.admitted).toEqual([]);
  });

  test("corrects its clock by the mesh's, again after each session", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    for (const hours of [1, -2]) {
      mesh.clock = () => Date.now() + hours * 3_600_000;
      mesh.cut();
      await waitFor(() => expect(peer.state).toBe("active"));
    }
    expect(mesh.problems).toEqual(["clock_skew", "clock_skew"]);
    await peer.close();
  });

  test("takes its time with a mesh that never agrees about the time", async () => {
    const mesh = new NoiseMesh();
    let hours = 0;
    mesh.clock = () => Date.now() + ++hours * 3_600_000;
    const problems = Promise.withResolvers<readonly string[]>();
    const peer = mesh.connect({
      meshKey: mesh.keys.publicKey,
      onEvent: ({ type }) => {
        if (type === "disconnected") problems.resolve([...mesh.problems]);
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
    mesh.refuses = refuses;
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    expect((await failure(peer.ready)).code).toBe(code);
    expect(mesh.events).toContainEqual({ type: "rejected", code, reason: refuses.detail });
    expect(peer.state).toBe("closed");
  });

  test("shows its join key to the mesh that it has pinned", async () => {
    const mesh = new NoiseMesh();
    const url = `muster://mesh.test/#${toHex(mesh.keys.publicKey)}&join=mjk_secret`;
    const peer = mesh.connect({ url });
    await peer.ready;
    expect(mesh.admitted[0]?.joinKey).toBe("mjk_secret");
    await peer.close();
  });

  test("never shows a join key to a mesh that it has not pinned, nor over go-p2p 1.0", () => {
    const mesh = new NoiseMesh();
    expect(() => mesh.connect({ joinKey: "mjk_secret" })).toThrow(OptionsError);
    expect(() =>
      mesh.connect({ joinKey: "mjk_secret", meshKey: KEY, protocol: "go-p2p/1.0" }),
    ).toThrow(OptionsError);
  });

  test("goes on with the mesh's next key once the mesh has changed to it", async () => {
    const mesh = new NoiseMesh();
    mesh.next = generateIdentity();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    expect((await peer.ready).next_public_key).toBe(toHex(mesh.next.publicKey));
    mesh.keys = mesh.next;
    mesh.next = null;
    mesh.cut();
    await waitFor(() => expect(mesh.admitted).toHaveLength(2));
    expect(peer.state).not.toBe("closed");
    await peer.close();
  });
});

describe("a peer that takes a new key", () => {
  test("is the new one as soon as the mesh has moved its record", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    const before = peer.id;
    const fresh = generateIdentity();
    const rotated = peer.rotate(fresh);
    await waitFor(() => expect(mesh.rotations).toEqual([fresh.id]));
    await mesh.happen({
      type: "end",
      fault: { code: "rotated", detail: "reconnect with the new key" },
    });
    expect((await rotated).id).toBe(fresh.id);
    expect(peer.id).toBe(fresh.id);
    expect(peer.id).not.toBe(before);
    expect(mesh.events).toContainEqual({ type: "rotated", peerId: fresh.id });
    await peer.close();
  });

  test("learns from the old key's bar that the change was made, when the word of it was lost", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    const fresh = generateIdentity();
    const rotated = peer.rotate(fresh);
    await waitFor(() => expect(mesh.rotations).toEqual([fresh.id]));
    mesh.barred.add(peer.id);
    mesh.cut();
    expect((await rotated).id).toBe(fresh.id);
    await peer.close();
  });

  test("keeps the old one when it is welcome under it again", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    const before = peer.id;
    const rotated = peer.rotate();
    mesh.cut();
    await expect(rotated).rejects.toMatchObject({ code: "rotation_failed" });
    expect(peer.id).toBe(before);
    await peer.close();
  });

  test("is not taken for one by a revocation: the peer stays away", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    const rotated = peer.rotate();
    await mesh.happen({ type: "end", fault: { code: "revoked", detail: "this key was revoked" } });
    await expect(rotated).rejects.toMatchObject({ code: "rotation_failed" });
    await expect(peer.closed).rejects.toMatchObject({ code: "revoked" });
  });

  test("keeps the old one when the mesh refuses", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await peer.ready;
    mesh.holds = generateIdentity(); // the proof no longer fits whoever checks it
    await expect(peer.rotate()).rejects.toMatchObject({ code: "rotation_failed" });
    expect(peer.state).toBe("active");
    await peer.close();
  });

  test("can't do so before it is active", async () => {
    const mesh = new NoiseMesh();
    const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
    await expect(peer.rotate()).rejects.toMatchObject({ code: "rotation_failed" });
    await peer.close();
  });
});

describe("a muster:// link", () => {
  test.each([
    ["muster://mesh.example/#" + KEY, "https://mesh.example/", null],
    ["muster://mesh.example:8443/#" + KEY + "&join=mjk_1", "https://mesh.example:8443/", "mjk_1"],
    ["muster://127.0.0.1:8787/#" + KEY, "http://127.0.0.1:8787/", null],
    ["muster://localhost/#" + KEY, "http://localhost/", null],
  ])("%s is read", (text, url, joinKey) => {
    expect(readMeshLink(text)).toEqual({ url, meshKey: KEY, joinKey });
  });

  test.each(["muster://mesh.example/", "muster://mesh.example/#abc", "muster:///#" + KEY])(
    "%s is refused",
    (text) => {
      expect(() => readMeshLink(text)).toThrow(OptionsError);
    },
  );

  test("leaves every other URL alone", () => {
    expect(readMeshLink("https://mesh.example/#" + KEY)).toBeNull();
  });

  test("is not overruled by another pinned key", () => {
    const url = `muster://mesh.example/#${KEY}`;
    expect(() => new NoiseMesh().connect({ url, meshKey: "cd".repeat(32) })).toThrow(OptionsError);
  });
});
