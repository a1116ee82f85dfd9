/**
 * The public door of STMF, Borg's sealed forms: what `muster/stmf` exports. Everything that can fail in expected ways
 * throws a `StmfError` with a stable `code`; the functions behind the door return the same faults as values.
 */
import type { Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import { platformRandom } from "../crypto/primitives.ts";
import { StmfError, type StmfFault } from "./errors.ts";
import type { FormData } from "./form.ts";
import { makePointer, openPointer, type BlobReader, type Pointer } from "./pointer.ts";
import { openForm, sealForm } from "./seal.ts";

export { StmfError, type StmfErrorCode } from "./errors.ts";
export type { Field, FormData } from "./form.ts";
export type { BlobReader, Pointer } from "./pointer.ts";

/** Seals a form to an X25519 public key of 32 bytes, as a container that Borg's Go and PHP code opens. */
export async function encrypt(
  form: FormData,
  recipientPublicKey: Uint8Array,
  random: RandomBytes = platformRandom,
): Promise<Bytes> {
  return orThrow(sealForm(form, recipientPublicKey, random));
}

/** Opens a container with the X25519 private key that it was sealed to. */
export async function decrypt(container: Uint8Array, privateKey: Uint8Array): Promise<FormData> {
  return orThrow(openForm(container, privateKey));
}

/** A pointer to a blob, under a fresh random ID. `metadata` is public: put nothing in that names the peer. */
export const newPointer = (
  blobId: string,
  metadata: Pointer["metadata"] = {},
  random: RandomBytes = platformRandom,
): Pointer => makePointer(blobId, metadata, random);

/** Fetches the blob of a pointer and opens it. What `blobs.get` throws passes through. */
export async function resolve(
  pointer: Pointer,
  privateKey: Uint8Array,
  blobs: BlobReader,
): Promise<FormData> {
  return orThrow(await openPointer(pointer, privateKey, blobs));
}

function orThrow<T>(result: Result<T, StmfFault>): T {
  if (!result.ok) throw new StmfError(result.error);
  return result.value;
}
