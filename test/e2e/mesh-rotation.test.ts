import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as pathTo } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { connectPeer, generateIdentity, type Peer } from "../../src/client/index.ts";
import { startMesh } from "../../server/mesh-process.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";

const next = generateIdentity();
const nextKey = toHex(next.publicKey);
const HOUR = 3_600_000;

describe("a mesh that rotates its key", () => {
  let dir: string;
  let mesh: MeshProcess;
  const peers: Peer[] = [];

  /** Starts the mesh with a key rotation that ends at a time; afterwards the mesh proves only its next key. */
  const start = (ends: number, meshKey?: string): Promise<MeshProcess> =>
    startMesh({
      dir,
      port: 0,
      ...(meshKey !== undefined && { meshKey }),
      // A key of this test only; a real one is a secret.
      variables: {
        MESH_IDENTITY_KEY_NEXT: toHex(next.privateKey),
        MESH_ROTATION_ENDS: new Date(ends).toISOString(),
      },
    });
  const join = (meshKey: string, nextMeshKey?: string): Peer => {
    const peer = connectPeer({
      url: mesh.url,
      meshKey,
      ...(nextMeshKey !== undefined && { nextMeshKey }),
    });
    peers.push(peer);
    return peer;
  };

  beforeAll(async () => {
    dir = pathTo(await mkdtemp(pathTo(tmpdir(), "muster-rotation-")), ".muster");
    mesh = await start(Date.now() + HOUR);
  });
  afterAll(async () => {
    await Promise.all(peers.map((peer) => peer.close()));
    await mesh.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it("NX9 accepts both keys during the rotation, and announces the next one", async () => {
    const byOld = await join(mesh.meshKey).ready;
    expect(byOld).toMatchObject({ public_key: mesh.meshKey, next_public_key: nextKey });
    const byNew = await join(nextKey).ready;
    expect(byNew).toMatchObject({ public_key: nextKey });
  });

  it("NX9 accepts only the next key afterwards, which peers that know it follow", async () => {
    const old = mesh.meshKey;
    await Promise.all(peers.splice(0).map((peer) => peer.close()));
    await mesh.stop();
    mesh = await start(Date.now() - HOUR, nextKey);
    await expect(join(old).ready).rejects.toMatchObject({ code: "mesh_key_mismatch" });
    expect(await join(old, nextKey).ready).toMatchObject({ public_key: nextKey });
  });
});
