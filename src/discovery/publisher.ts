import type { Millis, RandomBytes } from "../base/clock.ts";
import { StmfError } from "../stmf/index.ts";
import { sealPeerRecord, type PeerRecord } from "../stmf/peer-record.ts";
import type { DiscoveryStore } from "./store.ts";

/** What is stored of one peer, and where: decided by the registry before the store is touched. */
export interface Publication {
  readonly record: PeerRecord;
  /** Fresh and random: noted before it is used, so that what is stored and never published is found again. */
  readonly blobId: string;
  /** Of the epoch. */
  readonly publicKey: Uint8Array;
  readonly expiresAt: Millis;
}

/** Seals a record and stores it. Nobody finds it yet: the registry publishes the pointer, if the peer is still there. */
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
