import { SECOND, type RandomBytes } from "../base/clock.ts";
import { BLOB_TTL } from "../protocol/constants.ts";
import { newOpaqueId } from "../protocol/ids.ts";
import { newPointer, StmfError, type Pointer } from "../stmf/index.ts";
import { sealPeerRecord, type PeerRecord } from "../stmf/peer-record.ts";
import type { BlobStore } from "./blob-store.ts";

/**
 * Seals a record to the discovery key, stores it under a fresh ID, and returns the pointer that names it. The pointer
 * is not public yet: the registry publishes it, once it knows that the peer is still there. Its metadata is empty:
 * whatever stood there would say something of the peer.
 */
export async function publishRecord(
  record: PeerRecord,
  discoveryPublicKey: Uint8Array,
  blobs: BlobStore,
  randomBytes: RandomBytes,
): Promise<Pointer> {
  const sealed = sealPeerRecord(record, discoveryPublicKey, randomBytes);
  if (!sealed.ok) throw new StmfError(sealed.error);
  const blobId = newOpaqueId(randomBytes);
  await blobs.put(blobId, sealed.value, BLOB_TTL / SECOND);
  return newPointer(blobId, {}, randomBytes);
}
