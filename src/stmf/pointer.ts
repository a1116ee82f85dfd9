import type { RandomBytes } from "../base/clock.ts";
import type { JsonObject } from "../base/json.ts";
import { err, type Result } from "../base/result.ts";
import { newOpaqueId } from "../protocol/random-ids.ts";
import type { StmfFault } from "./errors.ts";
import type { FormData } from "./form.ts";
import { openForm } from "./seal.ts";

/**
 * The public entry by which a blob is found. It does not reveal whose record the blob contains, unless the metadata does.
 * A mesh publishes it signed, with the further fields of protocol/discovery.ts.
 */
export interface Pointer {
  readonly id: string;
  readonly blob_id: string;
  /** Public JSON. */
  readonly metadata: JsonObject;
}

/**
 * The source of blobs: KV, Redis or an HTTP client. `get` returns null when the ID does not exist, and rejects when the
 * store fails. Pointers may be untrusted: treat `id` as opaque text and escape it.
 */
export interface BlobReader {
  get(id: string): Promise<Uint8Array | null>;
}

export const makePointer = (
  blobId: string,
  metadata: Pointer["metadata"],
  random: RandomBytes,
): Pointer => ({ id: newOpaqueId(random), blob_id: blobId, metadata });

/** Fetches and opens a pointer's form: `blob_missing`, or any fault of `openForm`. Errors of `blobs` are passed through. */
export async function openPointer(
  pointer: Pointer,
  privateKey: Uint8Array,
  blobs: BlobReader,
): Promise<Result<FormData, StmfFault>> {
  const blob = await blobs.get(pointer.blob_id);
  if (!blob) {
    return err({
      code: "blob_missing",
      detail: "the store has no blob under the pointer's blob ID",
    });
  }
  return openForm(blob, privateKey);
}
