import type { Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";

/**
 * Where discovery's documents lie: KV, Redis, memory. A document that is read is either absent or whole. What must be
 * fresh is written once under a fresh key and then named by something that is fresh itself, so a store that is only
 * eventually consistent serves.
 */
export interface DiscoveryStore {
  /** Null when there is nothing under the key, or no longer; rejects when the store itself fails. */
  get(key: string): Promise<Bytes | null>;
  /** Keeps the bytes until `expiresAt`, then no longer; rejects when the store can't take them now. */
  put(key: string, bytes: Uint8Array, expiresAt: Millis): Promise<void>;
  /** Removing what is not there is no error. */
  delete(key: string): Promise<void>;
}
