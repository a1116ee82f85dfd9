import type { Verifier } from "../../discovery/signed-statements.ts";
import type { PinOptions } from "../connection/proved-verifier.ts";
import { unlessAborted, withRetries, type RetryPolicy } from "../http/request-retry.ts";

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
    // Only programs that pin a key load what proves it.
    const { provedVerifier } = await import("../connection/proved-verifier.ts");
    return provedVerifier(this.#options);
  }
}
