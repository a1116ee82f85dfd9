import { fromHex, toHex, type Bytes } from "../../base/bytes.ts";
import { peerIdOf } from "../../crypto/identity.ts";
import { generateIdentity } from "../own-keys.ts";
import { verifyMeshProof } from "../../crypto/key-proofs.ts";
import { platformX25519 } from "../../crypto/x25519.ts";
import * as shapes from "../../protocol/shapes/proof.ts";
import { MusterApiError } from "../errors.ts";
import { Api, type Fetch } from "../http/api.ts";
import type { Millis } from "../../base/clock.ts";

/** What a mesh has proved of itself, with the identity key that the caller has pinned. */
export interface ProvedMesh {
  /** Ed25519, in hex. */
  readonly signingKey: string;
  /** The mesh's time when it answered. */
  readonly time: Millis;
}

/**
 * Asks the mesh to prove its identity key (hex), and for its signing key and time. A server without that key, also one that
 * relays the request and changes the answer, can't answer: `MusterApiError` with the code `mesh_unproved`.
 */
export async function provedMesh(
  url: string,
  fetch: Fetch,
  meshKey: string,
  timeout?: Millis,
): Promise<ProvedMesh> {
  const publicKey = fromHex(meshKey) as Bytes;
  const own = generateIdentity();
  const challenge = toHex(own.publicKey);
  const api = new Api({ url, token: undefined, fetch, random: Math.random });
  const { proof, ...stated } = await api.json(shapes.MeshProofView, {
    path: "v1/mesh/proof",
    query: { challenge, mesh: peerIdOf(publicKey) },
    ...(timeout !== undefined && { timeout, idempotent: false }),
  });
  const keys = { privateKey: own.privateKey, publicKey };
  if (await verifyMeshProof(await platformX25519(), keys, challenge, stated, proof))
    return { signingKey: stated.signing_key, time: Date.parse(stated.time) };
  const detail = `the server at ${url} does not hold the pinned key ${meshKey}`;
  throw new MusterApiError("mesh_unproved", 200, detail);
}
