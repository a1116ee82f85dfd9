import { describe, expect, test } from "vitest";
import { generateIdentity } from "../../src/client/keys.ts";
import { NoiseMesh } from "./noise-mesh.ts";
import { waitFor } from "../wait-for.ts";

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
    await expect(rotated).rejects.toMatchObject({ code: "rotation_unknown" });
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
