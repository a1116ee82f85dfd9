import { fromHex, type Bytes } from "../../base/bytes.ts";
import type { Verifier } from "../../discovery/signed-statements.ts";
import { MusterApiError } from "../errors.ts";
import type { Fetch } from "../http/api.ts";
import { unlessAborted, withRetries, type RetryPolicy } from "../http/request-retry.ts";

export interface PinOptions {
  readonly url: string;
  readonly fetch: Fetch;
  /** The key that the mesh must prove, and the one that it has announced as its next, in hex. */
  readonly keys: readonly string[];
}

/** Leads from the pinned identity key of a mesh to its signing key: the mesh proves both, once. */
export class MeshPin {
  readonly #options: PinOptions;
  #verifier: Promise<Verifier> | null = null;

  constructor(options: PinOptions) {
    this.#options = options;
  }

  /** Verifies the mesh's signatures. Throws `MusterApiError`, code `mesh_unproved` if the server does not prove the key. */
  verifier(retried: Pick<RetryPolicy, "signal" | "outageMs"> = {}): Promise<Verifier> {
    const { signal } = retried;
    const policy = { ...retried, random: Math.random };
    return withRetries(() => unlessAborted(this.#proved(), signal), policy);
  }

  #proved(): Promise<Verifier> {
    this.#verifier ??= this.#prove().catch((error: unknown) => {
      this.#verifier = null; // the mesh may answer the next time
      throw error;
    });
    return this.#verifier;
  }

  async #prove(): Promise<Verifier> {
    const { url, fetch, keys } = this.#options;
    // Only programs that pin a key load what proves it.
    const [{ provedMesh }, { platformVerify }, { verifierOf }] = await Promise.all([
      import("../connection/proved-mesh.ts"),
      import("../../crypto/ed25519.ts"),
      import("../../discovery/signed-statements.ts"),
    ]);
    const [key = "", next] = keys;
    const mesh = await provedMesh(url, fetch, key).catch((error: unknown) => {
      // The mesh has completed its rotation to the key that it had announced. That key must be proved like the other.
      const isReplaced = error instanceof MusterApiError && error.code === "mesh_key_unknown";
      if (isReplaced && next !== undefined) return provedMesh(url, fetch, next);
      throw error;
    });
    return verifierOf(fromHex(mesh.signingKey) as Bytes, await platformVerify());
  }
}
