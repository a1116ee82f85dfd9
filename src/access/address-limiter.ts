import { MINUTE, type Millis } from "../base/clock.ts";

/** Addresses remembered at once: at about 100 bytes each, a megabyte. The longest unseen goes first. */
const ADDRESSES_MAX = 10_000;

/**
 * So many acts a minute for each address, as a token bucket in memory: nothing is written for whoever has proved
 * nothing. It is as wide as the memory it lives in (one isolate of the gateway); a bound over all of them is the edge's
 * to set (see docs/security.md).
 */
export class AddressLimiter {
  readonly #buckets = new Map<string, { tokens: number; at: Millis }>();

  /** Counts one act. Returns 0 when it may go on, otherwise the seconds until the next may. */
  consume(address: string, perMinute: number, now: Millis): number {
    const key = addressKey(address);
    const bucket = this.#buckets.get(key) ?? { tokens: perMinute, at: now };
    this.#buckets.delete(key); // set again below: the map's order is that of last use
    const earned = (Math.max(0, now - bucket.at) / MINUTE) * perMinute;
    const tokens = Math.min(perMinute, bucket.tokens + earned);
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

/** One IPv4 address, or one /64 of IPv6, which is the least that a single subscriber is given (RFC 6177). */
export function addressKey(address: string): string {
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
