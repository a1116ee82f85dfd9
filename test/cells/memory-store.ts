import type { Bytes } from "../../src/base/bytes.ts";
import type { DiscoveryStore } from "../../src/discovery/store.ts";

/** A store of sealed records in memory. */
export const memoryStore = (blobs: Map<string, Bytes>): DiscoveryStore => ({
  get: async (key) => blobs.get(key) ?? null,
  put: async (key, bytes) => void blobs.set(key, Uint8Array.from(bytes)),
  delete: async (key) => void blobs.delete(key),
});
