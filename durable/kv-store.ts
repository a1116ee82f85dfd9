import { SECOND } from "../src/base/clock.ts";
import type { DiscoveryStore } from "../src/discovery/store.ts";

/** KV refuses a shorter time to live. */
const TTL_SECONDS_MIN = 60;

/** Discovery's store on Workers KV, whose expiration times are whole seconds. */
export const kvStore = (kv: KVNamespace, now: () => number): DiscoveryStore => ({
  async get(key) {
    const bytes = await kv.get(key, "arrayBuffer");
    return bytes === null ? null : new Uint8Array(bytes);
  },
  async put(key, bytes, expiresAt) {
    const soonest = Math.ceil(now() / SECOND) + TTL_SECONDS_MIN;
    await kv.put(key, bytes, { expiration: Math.max(soonest, Math.floor(expiresAt / SECOND)) });
  },
  async delete(key) {
    await kv.delete(key);
  },
});
