import { MINUTE, type Millis } from "../base/clock.ts";
import { refilled, type TokenBucket } from "../base/token-bucket.ts";

/** Addresses kept in memory: about 100 bytes each, one megabyte in total. The least recently used is removed first. */
const ADDRESSES_MAX = 10_000;

/**
 * A rate limit per address and minute: a token bucket in memory, so that unauthenticated callers cause no writes. It
 * covers one isolate of the gateway. A global limit must be configured at the edge (see docs/security.md).
 */
export class AddressLimiter {
  readonly #buckets = new Map<string, TokenBucket>();

  /** Consumes one token. Returns 0 when the call is allowed, otherwise the number of seconds until the next is. */
  consume(address: string, perMinute: number, now: Millis): number {
    const key = addressKey(address);
    const bucket = this.#buckets.get(key) ?? { tokens: perMinute, at: now };
    this.#buckets.delete(key); // inserted again below, so that the map's order is that of last use
    const rate = { tokens: perMinute, per: MINUTE, max: perMinute };
    const { tokens } = refilled(bucket, rate, now);
    const allowed = tokens >= 1;
    this.#buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > ADDRESSES_MAX) this.#forgetOldest();
    return allowed ? 0 : Math.max(1, Math.ceil(((1 - tokens) * MINUTE) / perMinute / 1_000));
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (oldest.done !== true) this.#buckets.delete(oldest.value);
  }
}

/** The unit that is limited: one IPv4 address, or one /64 of IPv6, the smallest allocation to a subscriber (RFC 6177). */
function addressKey(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = address.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined
      ? []
      : Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0");
  const groups = [...front, ...zeros, ...back].slice(0, 4);
  return `${groups.map((group) => group.toLowerCase().replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
