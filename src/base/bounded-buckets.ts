import type { Millis } from "./clock.ts";
import { refilled, takeToken, type TokenBucket, type TokenRate } from "./token-bucket.ts";

/** A token bucket for each key, of the keys that were used last. A key that is forgotten begins with a full one. */
export class BoundedBuckets {
  readonly #rate: TokenRate;
  readonly #keysMax: number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: TokenRate, keysMax: number) {
    this.#rate = rate;
    this.#keysMax = keysMax;
  }

  /** Takes a token; false if the key has none. */
  take(key: string, now: Millis): boolean {
    const left = takeToken(this.#of(key, now), this.#rate, now);
    if (left !== null) this.#set(key, left);
    return left !== null;
  }

  /** Gives a token back that was taken for nothing. */
  giveBack(key: string, now: Millis): void {
    const { tokens, at } = refilled(this.#of(key, now), this.#rate, now);
    this.#set(key, { tokens: Math.min(this.#rate.max, tokens + 1), at });
  }

  #of(key: string, now: Millis): TokenBucket {
    return this.#buckets.get(key) ?? { tokens: this.#rate.max, at: now };
  }

  #set(key: string, bucket: TokenBucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= this.#keysMax) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
