import { fromHex, type Bytes } from "../../base/bytes.ts";
import { platformVerify } from "../../crypto/ed25519.ts";
import { verifierOf, type Verifier } from "../../discovery/signed-statements.ts";
import { MusterApiError } from "../errors.ts";
import type { Fetch } from "../http/api.ts";
import { provedMesh } from "./proved-mesh.ts";

export interface PinOptions {
  readonly url: string;
  readonly fetch: Fetch;
  /** The key that the mesh must prove, and the one that it has announced as its next, in hex. */
  readonly keys: readonly string[];
}

/** Verifies what the mesh signs, once it has proved a pinned key. Throws as `provedMesh`. */
export async function provedVerifier({ url, fetch, keys }: PinOptions): Promise<Verifier> {
  const [key = "", next] = keys;
  const mesh = await provedMesh(url, fetch, key).catch((error: unknown) => {
    // The mesh has completed its rotation to the key that it had announced. That key must be proved like the other.
    const isReplaced = error instanceof MusterApiError && error.code === "mesh_key_unknown";
    if (isReplaced && next !== undefined) return provedMesh(url, fetch, next);
    throw error;
  });
  return verifierOf(fromHex(mesh.signingKey) as Bytes, await platformVerify());
}
