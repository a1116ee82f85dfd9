import type { Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";

/**
 * The store of discovery's documents: KV, Redis or memory. A read returns the whole document or nothing. Documents are
 * written once under new keys and then referenced from an up-to-date document, so an eventually consistent store is
 * sufficient.
 */
export interface DiscoveryStore {
  /** The document; null when the key does not exist or has expired. Rejects when the store fails. */
  get(key: string): Promise<Bytes | null>;
  /** Stores the bytes until `expiresAt`. Rejects when the store fails. */
  put(key: string, bytes: Uint8Array, expiresAt: Millis): Promise<void>;
  /** Deletes the document. Deleting a missing key succeeds. */
  delete(key: string): Promise<void>;
}
