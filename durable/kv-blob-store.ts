import type { BlobStore } from "../src/discovery/blob-store.ts";

const keyOf = (id: string): string => `blob:${id}`;

/** The blob store on Workers KV. */
export const kvBlobStore = (kv: KVNamespace): BlobStore => ({
  async get(id) {
    const bytes = await kv.get(keyOf(id), "arrayBuffer");
    return bytes === null ? null : new Uint8Array(bytes);
  },
  async put(id, bytes, ttlSeconds) {
    await kv.put(keyOf(id), bytes, { expirationTtl: ttlSeconds });
  },
  async delete(id) {
    await kv.delete(keyOf(id));
  },
});
