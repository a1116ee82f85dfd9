import type { Millis, RandomBytes } from "../base/clock.ts";
import { StmfError } from "../stmf/index.ts";
import { sealPeerRecord, type PeerRecord } from "../stmf/peer-record.ts";
import type { DiscoveryStore } from "./store.ts";

/** One record to store, and where. The registry decides this before the store is called. */
export interface Publication {
  readonly record: PeerRecord;
  /** A fresh random ID. The registry writes it down before it is used, so that it finds and deletes an unpublished blob. */
  readonly blobId: string;
  /** The epoch's discovery key. */
  readonly publicKey: Uint8Array;
  readonly expiresAt: Millis;
}

/** Seals a record and stores it. It can't be found until the registry publishes its pointer, if the peer is still connected. */
export async function storeRecord(
  { record, blobId, publicKey, expiresAt }: Publication,
  store: DiscoveryStore,
  randomBytes: RandomBytes,
): Promise<void> {
  const sealed = sealPeerRecord(record, publicKey, randomBytes);
  if (!sealed.ok) throw new StmfError(sealed.error);
  await store.put(blobKey(blobId), sealed.value, expiresAt);
}

export const blobKey = (id: string): string => `blob:${id}`;
