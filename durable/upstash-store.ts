import { Redis } from "@upstash/redis/cloudflare";
import { fromBase64, toBase64 } from "../src/base/bytes.ts";
import type { Millis } from "../src/base/clock.ts";
import type { DiscoveryStore } from "../src/discovery/store.ts";

/** How long the mesh waits for one answer of Redis, its retry included. */
const TIMEOUT: Millis = 10_000;

export interface UpstashAccess {
  readonly url: string;
  readonly token: string;
}

interface UpstashOptions {
  /** How long one command may take, up to the last byte of the answer and with its retries. */
  readonly timeout?: Millis;
  /** How often a command is sent again after a connection failed. An answer, whatever it says, is never asked for again. */
  readonly retries?: number;
}

/** Redis refused the token or the command. */
export class StoreRefused extends Error {
  override readonly name = "StoreRefused";
}

/** Discovery's store on Redis behind Upstash's REST API, for edges without KV. Values are base64, because REST carries text. */
export function upstashStore(
  { url, token }: UpstashAccess,
  { timeout = TIMEOUT, retries = 1 }: UpstashOptions = {},
): DiscoveryStore {
  const redis = new Redis({
    url,
    token,
    // The client must not parse values: the text that was written must be read back.
    automaticDeserialization: false,
    responseEncoding: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    // As a function: with a plain signal the client answers an aborted read with a value of its own.
    signal: () => AbortSignal.timeout(timeout),
    retry: { retries, backoff: () => 200 },
  });
  return {
    async get(key) {
      const text = await answerOf(redis.get<string>(key));
      if (text === null) return null;
      const bytes = fromBase64(text);
      if (bytes === null) throw new Error("the value in Redis is not base64");
      return bytes;
    },
    async put(key, bytes, expiresAt) {
      await answerOf(redis.set(key, toBase64(bytes), { pxat: expiresAt }));
    },
    async delete(key) {
      await answerOf(redis.del(key));
    },
  };
}

/** The client's own errors contain the command with its value, or the body of the answer: neither is for a log. */
const answerOf = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw storeError(error as Error);
  });

function storeError(cause: Error): Error {
  switch (cause.name) {
    case "UpstashError":
    case "UpstashJSONParseError":
      return REFUSED.test(cause.message)
        ? new StoreRefused("Redis refuses the token or the command")
        : new Error("Redis answers with an error");
    case "TimeoutError":
      return new Error("Redis does not answer in time");
    default:
      return new Error("Redis can't be reached", { cause });
  }
}

/** Upstash, its imitations and Redis itself name it so. */
const REFUSED = /unauthorized|forbidden|WRONGPASS|NOAUTH|NOPERM/i;
