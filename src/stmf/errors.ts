import type { ContainerError } from "../crypto/trix.ts";

/**
 * - `public_key_invalid`: the recipient's key is not 32 bytes, or is of low order (the secret would be public knowledge)
 * - `private_key_invalid`: the private key is not 32 bytes
 * - `recipients_invalid`: no recipient, or too many
 * - `form_invalid`: the input is not a form, or exceeds a limit
 * - `container_invalid`: not STMF: wrong magic, truncated, unreadable header, or unusable ephemeral key
 * - `container_unsupported`: an unsupported container version, algorithm or header version
 * - `container_too_large`: exceeds a limit; checked before anything of that length is read
 * - `container_sealed_otherwise`: sealed to another key, or changed after sealing
 * - `content_invalid`: the container opens, but does not contain a form
 * - `blob_missing`: the store has no blob under the pointer's blob ID
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

/** An error as a value, which the inner functions return. `detail` is for people and never contains a secret. */
export interface StmfFault {
  readonly code: StmfErrorCode;
  readonly detail: string;
}

/** The error that the public functions throw. Distinguish errors by `code`; the message may change. */
export class StmfError extends Error {
  override readonly name = "StmfError";
  readonly code: StmfErrorCode;

  constructor({ code, detail }: StmfFault) {
    super(detail);
    this.code = code;
  }
}
