import { Redis } from "@upstash/redis/cloudflare";
import { fromBase64, toBase64 } from "../src/base/bytes.ts";
import type { DiscoveryStore } from "../src/discovery/store.ts";

/** How long one request to Redis may take. */
const TIMEOUT = 10_000;

export interface UpstashAccess {
  readonly url: string;
  readonly token: string;
}

/** Discovery's store on Redis behind Upstash's REST API: for edges without KV. Values are base64, which REST carries. */
export function upstashStore({ url, token }: UpstashAccess): DiscoveryStore {
  const redis = new Redis({
    url,
    token,
    // What is read back must be the text that was written, whatever it looks like.
    automaticDeserialization: false,
    responseEncoding: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    signal: () => AbortSignal.timeout(TIMEOUT),
    retry: { retries: 1, backoff: () => 200 },
  });
  return {
    async get(key) {
      const text = await redis.get<string>(key);
      if (text === null) return null;
      const bytes = fromBase64(text);
      if (bytes === null) throw new Error("what lies in Redis is not what was written");
      return bytes;
    },
    async put(key, bytes, expiresAt) {
      await redis.set(key, toBase64(bytes), { pxat: expiresAt });
    },
    async delete(key) {
      await redis.del(key);
    },
  };
}
