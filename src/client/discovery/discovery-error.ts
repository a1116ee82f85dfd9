import type { DiscoveryErrorCode, DiscoveryFault } from "../../discovery/resolver.ts";

/** A pointer, record or checkpoint did not verify, or is too old. Distinguish the errors by `code`. */
export class DiscoveryError extends Error {
  override readonly name = "DiscoveryError";
  readonly code: DiscoveryErrorCode;

  constructor({ code, detail }: DiscoveryFault) {
    super(detail);
    this.code = code;
  }
}
