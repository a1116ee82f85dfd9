import { Redis } from "@upstash/redis/cloudflare";
import { fromBase64, toBase64 } from "../src/base/bytes.ts";
import type { DiscoveryStore } from "../src/discovery/store.ts";

/** How many milliseconds one request to Redis may take. */
const TIMEOUT_MS = 10_000;

export interface UpstashAccess {
  readonly url: string;
  readonly token: string;
}

/** Discovery's store on Redis behind Upstash's REST API, for edges without KV. Values are base64, because REST carries text. */
export function upstashStore({ url, token }: UpstashAccess): DiscoveryStore {
  const redis = new Redis({
    url,
    token,
    // The client must not parse values: the text that was written must be read back.
    automaticDeserialization: false,
    responseEncoding: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    signal: () => AbortSignal.timeout(TIMEOUT_MS),
    retry: { retries: 1, backoff: () => 200 },
  });
  return {
    async get(key) {
      const text = await redis.get<string>(key);
      if (text === null) return null;
      const bytes = fromBase64(text);
      if (bytes === null) throw new Error("the value in Redis is not base64");
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
