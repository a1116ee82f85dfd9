import type { BlobReader } from "../stmf/index.ts";

/**
 * Where sealed records lie. A blob is written once under a fresh ID and never changed, so a store that is only
 * eventually consistent (KV) serves: its name is published after it is there.
 */
export interface BlobStore extends BlobReader {
  /** Keeps the bytes for `ttlSeconds` at least; throws when the store can't take them now. */
  put(id: string, bytes: Uint8Array, ttlSeconds: number): Promise<void>;
  /** Removing what is not there is no error. */
  delete(id: string): Promise<void>;
}
