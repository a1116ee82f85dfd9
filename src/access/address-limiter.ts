import { MINUTE, type Millis } from "../base/clock.ts";
import { refilled, type TokenBucket } from "../base/token-bucket.ts";
import { networksOf } from "./client-address.ts";

/** What is limited. Each budget is counted by itself. */
export type BudgetName =
  | "handshakes"
  | "proofs"
  | "deliveries"
  | "authorizations"
  | "discovery"
  | "preflights";

/** Addresses in memory for each budget: about 100 bytes each, one megabyte for a full table. */
const ENTRIES_MAX = 10_000;
/** One /48 of IPv6, the usual size of a site, has 65,536 networks of /64: together they may do as much as this many of them. */
const SITE_FACTOR = 16;
/** While a table is full, all addresses that are not in it share this many times the budget of one. */
const OVERFLOW_FACTOR = 32;
/** A bucket is full again after this time, so that forgetting it changes nothing. */
const REFILL: Millis = MINUTE;

/**
 * Budgets per address and minute: token buckets in memory, so that callers who have proved nothing cause no write and no
 * call of an object. They cover one isolate of the gateway. A limit for all isolates must be configured at the edge (see
 * docs/security.md).
 */
export class AddressLimiter {
  readonly #tables = new Map<BudgetName, AddressTable>();

  /** Consumes one token. Returns 0 when the call is allowed, otherwise the number of seconds until the next is. */
  consume(budget: BudgetName, address: string, perMinute: number, now: Millis): number {
    let table = this.#tables.get(budget);
    if (table === undefined) this.#tables.set(budget, (table = new AddressTable()));
    return table.consume(address, perMinute, now);
  }
}

/**
 * The buckets of one budget. A bucket is forgotten only once it is full again: an attacker with many addresses resets no
 * counter, neither its own nor another's. While so many addresses are active that the table is full, further addresses
 * share one bucket, which bounds what all of them together can do.
 */
class AddressTable {
  /** In the order of their last use. */
  readonly #buckets = new Map<string, TokenBucket>();
  #overflow: TokenBucket | null = null;

  consume(address: string, perMinute: number, now: Millis): number {
    const { site, network } = networksOf(address);
    // The site comes first: what it refuses adds no entry for a network.
    const wait = site === null ? 0 : this.#take(site, perMinute * SITE_FACTOR, perMinute, now);
    return wait > 0 ? wait : this.#take(network, perMinute, perMinute, now);
  }

  #take(key: string, max: number, perMinute: number, now: Millis): number {
    const known = this.#buckets.get(key);
    if (known === undefined && !this.#hasRoom(now)) {
      const share = perMinute * OVERFLOW_FACTOR;
      const { bucket, wait } = take(this.#overflow, share, now);
      this.#overflow = bucket;
      return wait;
    }
    const { bucket, wait } = take(known ?? null, max, now);
    this.#buckets.delete(key); // inserted again, so that the map's order is that of last use
    this.#buckets.set(key, bucket);
    return wait;
  }

  /** Forgets what is full again. The first entries are those that were used least recently. */
  #hasRoom(now: Millis): boolean {
    for (const [key, { at }] of this.#buckets) {
      if (at + REFILL > now) break;
      this.#buckets.delete(key);
    }
    return this.#buckets.size < ENTRIES_MAX;
  }
}

/** The bucket after one token was taken, or the seconds to wait if it holds none. */
function take(
  bucket: TokenBucket | null,
  perMinute: number,
  now: Millis,
): { readonly bucket: TokenBucket; readonly wait: number } {
  const rate = { tokens: perMinute, per: REFILL, max: perMinute };
  const { tokens } = refilled(bucket ?? { tokens: perMinute, at: now }, rate, now);
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, at: now }, wait: 0 };
  const wait = Math.max(1, Math.ceil(((1 - tokens) * REFILL) / perMinute / 1_000));
  return { bucket: { tokens, at: now }, wait };
}
