import { describe, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { OptionsError, type PeerError } from "../../src/client/errors.ts";
import { generateIdentity } from "../../src/client/keys.ts";
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

  test("CL13 reports a socket that can't be opened without the proof in its URL", async () => {
    const mesh = new NoiseMesh();
    let asked = "";
    const peer = mesh.connect({
      meshKey: mesh.keys.publicKey,
      platform: {
        openSocket: (url) => {
          asked = url;
          throw new SyntaxError(`Failed to construct 'WebSocket': The URL '${url}' is insecure.`);
        },
      },
    });
    const reason = (): string | undefined =>
      mesh.events.find((event) => event.type === "disconnected")?.reason;
    await waitFor(() => expect(reason()).toContain("/v1/connect' is insecure"));
    expect(asked).toMatch(/\/v1\/connect\?peer=.*&proof=/);
    expect(JSON.stringify(mesh.events)).not.toMatch(/proof=|peer=/);
    void peer.ready.catch(() => {});
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
