import type { RandomBytes } from "../base/clock.ts";
import type { JsonObject } from "../base/json.ts";
import { err, type Result } from "../base/result.ts";
import { newOpaqueId } from "../protocol/ids.ts";
import type { StmfFault } from "./errors.ts";
import type { FormData } from "./form.ts";
import { openForm } from "./seal.ts";

/**
 * What is published so that a blob can be found. It says nothing of who is in the blob, unless the metadata does. A mesh
 * publishes it signed, with the times and numbers of protocol/discovery.ts.
 */
export interface Pointer {
  readonly id: string;
  readonly blob_id: string;
  /** Public JSON. */
  readonly metadata: JsonObject;
}

/**
 * Where blobs are read from: KV, Redis, an HTTP client. `get` gives null when there is nothing under the ID, and
 * rejects when the store itself fails. Pointers may come from strangers: take `id` as opaque text, and escape it.
 */
export interface BlobReader {
  get(id: string): Promise<Uint8Array | null>;
}

export const makePointer = (
  blobId: string,
  metadata: Pointer["metadata"],
  random: RandomBytes,
): Pointer => ({ id: newOpaqueId(random), blob_id: blobId, metadata });

/** The form behind a pointer: `blob_missing`, or any fault of opening. What `blobs` throws passes through. */
export async function openPointer(
  pointer: Pointer,
  privateKey: Uint8Array,
  blobs: BlobReader,
): Promise<Result<FormData, StmfFault>> {
  const blob = await blobs.get(pointer.blob_id);
  if (!blob) {
    return err({ code: "blob_missing", detail: "the store has no such blob" });
  }
  return openForm(blob, privateKey);
}
