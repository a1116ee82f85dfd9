import type { ContainerError } from "../crypto/trix.ts";

/**
 * - `public_key_invalid`: the recipient's key is not 32 bytes, or is of low order (anybody would know the secret)
 * - `private_key_invalid`: the private key is not 32 bytes
 * - `recipients_invalid`: no public key to seal to, or too many
 * - `form_invalid`: what was to be sealed is not a form, or exceeds a bound
 * - `container_invalid`: not STMF: wrong magic, cut short, unreadable header, unusable ephemeral key
 * - `container_unsupported`: a container version, algorithm or header version that is not read here
 * - `container_too_large`: over a limit, seen before anything was read by it
 * - `container_sealed_otherwise`: sealed to another key, or changed since
 * - `content_invalid`: the container opens, but holds no form
 * - `blob_missing`: the store has nothing under the pointer's blob ID
 * - `record_invalid`: the form is not a peer record
 * - `identity_mismatch`: the record's ID does not belong to its public key
 */
export type StmfErrorCode =
  | ContainerError["code"]
  | "public_key_invalid"
  | "private_key_invalid"
  | "recipients_invalid"
  | "form_invalid"
  | "content_invalid"
  | "blob_missing"
  | "record_invalid"
  | "identity_mismatch";

/** What went wrong, as a value: the inner functions return it. `detail` is for people and holds no secret. */
export interface StmfFault {
  readonly code: StmfErrorCode;
  readonly detail: string;
}

/** What went wrong, as the public door throws it. Tell errors apart by `code`; the message may change. */
export class StmfError extends Error {
  override readonly name = "StmfError";
  readonly code: StmfErrorCode;

  constructor({ code, detail }: StmfFault) {
    super(detail);
    this.code = code;
  }
}
