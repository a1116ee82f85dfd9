import type { Bytes } from "../../src/base/bytes.ts";
import type { Millis } from "../../src/base/clock.ts";
import type { DiscoveryStore } from "../../src/discovery/store.ts";

/** A discovery store in memory that records the calls. */
export class MemoryStore implements DiscoveryStore {
  readonly #entries = new Map<string, { readonly bytes: Bytes; readonly expiresAt: Millis }>();
  readonly #now: () => Millis;
  reads = 0;

  constructor(now: () => Millis) {
    this.#now = now;
  }

  async get(key: string): Promise<Bytes | null> {
    this.reads++;
    const entry = this.#entries.get(key);
    return entry === undefined || entry.expiresAt <= this.#now() ? null : entry.bytes.slice();
  }

  /** The document at this moment, not counted as a read. */
  peek(key: string): Bytes | null {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.expiresAt <= this.#now() ? null : entry.bytes;
  }

  clear(): void {
    this.#entries.clear();
  }

  async put(key: string, bytes: Uint8Array, expiresAt: Millis): Promise<void> {
    this.#entries.set(key, { bytes: Uint8Array.from(bytes), expiresAt });
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }

  expiryOf(key: string): Millis | null {
    return this.#entries.get(key)?.expiresAt ?? null;
  }

  get size(): number {
    return this.#entries.size;
  }

  get keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  get contents(): readonly Bytes[] {
    return [...this.#entries.values()].map(({ bytes }) => bytes);
  }

  get expiries(): readonly Millis[] {
    return [...this.#entries.values()].map(({ expiresAt }) => expiresAt);
  }
}
