import { expect } from "vitest";
import type { DiscoveryStore } from "../../src/discovery/store.ts";

/** A store under test, empty at first. */
interface StoreUnderTest {
  readonly store: DiscoveryStore;
  /** A key that only this test uses. */
  readonly key: (name: string) => string;
  readonly now: () => number;
  /** The expiry that the store itself reports for a key; null when the key does not exist. */
  readonly expiryOf: (key: string) => Promise<number | null>;
  /** The store's minimum lifetime of a document, in milliseconds. */
  readonly lifetimeMin: number;
}

/** One case of the store's contract. It must pass on every store. */
interface StoreCase {
  readonly name: string;
  readonly run: (under: StoreUnderTest) => Promise<void>;
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const DAY = 86_400_000;

/** The contract of a discovery store. */
export const discoveryStoreContract: readonly StoreCase[] = [
  {
    name: "DS29 a key that was never written has no document",
    async run({ store, key }) {
      expect(await store.get(key("nothing"))).toBeNull();
    },
  },
  {
    name: "DS29 a document is returned byte for byte, whatever its bytes and length",
    async run({ store, key, now }) {
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const large = Uint8Array.from({ length: 100_003 }, (_, i) => i * 31);
      // Some that a store in between could take for something else: a number, JSON, base64 of text.
      const texts = ["12345", "null", '{"a":1}', "aGVsbG8=", "é😀"].map((text) =>
        new TextEncoder().encode(text),
      );
      for (const [i, value] of [bytes(), bytes(0), all, large, ...texts].entries()) {
        await store.put(key(`value-${i}`), value, now() + DAY);
        const back = await store.get(key(`value-${i}`));
        expect(back).toEqual(Uint8Array.from(value));
      }
    },
  },
  {
    name: "DS29 a later write replaces the document and leaves other keys unchanged",
    async run({ store, key, now }) {
      await store.put(key("a"), bytes(1), now() + DAY);
      await store.put(key("b"), bytes(2), now() + DAY);
      await store.put(key("a"), bytes(3), now() + DAY);
      expect(await store.get(key("a"))).toEqual(bytes(3));
      expect(await store.get(key("b"))).toEqual(bytes(2));
    },
  },
  {
    name: "DS29 a deleted document is missing, and deleting it again succeeds",
    async run({ store, key, now }) {
      await store.put(key("gone"), bytes(1), now() + DAY);
      await store.delete(key("gone"));
      expect(await store.get(key("gone"))).toBeNull();
      await store.delete(key("gone"));
      await store.delete(key("never"));
    },
  },
  {
    name: "DS29 a document expires at the given second, or after the store's minimum lifetime",
    async run({ store, key, now, expiryOf, lifetimeMin }) {
      const asked = Math.floor(now() / 1_000) * 1_000 + DAY;
      await store.put(key("later"), bytes(1), asked);
      expect(await expiryOf(key("later"))).toBe(asked);
      await store.put(key("soon"), bytes(1), now() - 1_000);
      const soon = await expiryOf(key("soon"));
      if (lifetimeMin === 0) expect(await store.get(key("soon"))).toBeNull();
      else expect((soon ?? 0) - now()).toBeLessThanOrEqual(lifetimeMin + 1_000);
    },
  },
];
