import type { Millis } from "./clock.ts";

/** Keys that are remembered for a time: at most so many, the newest. */
export class ExpiringSet {
  readonly #expiry = new Map<string, Millis>();
  readonly #max: number;
  readonly #lifetime: Millis;

  constructor(max: number, lifetime: Millis) {
    this.#max = max;
    this.#lifetime = lifetime;
  }

  has(key: string, now: Millis): boolean {
    return (this.#expiry.get(key) ?? 0) > now;
  }

  /** Remembers a key from now on, also one that is remembered already. */
  add(key: string, now: Millis): void {
    this.#expiry.delete(key);
    this.#expiry.set(key, now + this.#lifetime);
    if (this.#expiry.size <= this.#max) return;
    const [oldest] = this.#expiry.keys();
    if (oldest !== undefined) this.#expiry.delete(oldest);
  }
}
