import { expect } from "vitest";
import type { DiscoveryStore } from "../../src/discovery/store.ts";

/** A store under test, empty at first. */
export interface StoreUnderTest {
  readonly store: DiscoveryStore;
  /** A key of this test's own. */
  readonly key: (name: string) => string;
  readonly now: () => number;
  /** When the store itself says that a key runs out; null when it is not there. */
  readonly expiryOf: (key: string) => Promise<number | null>;
  /** The least time for which the store keeps anything. */
  readonly leastLife: number;
}

interface Clause {
  readonly name: string;
  readonly holds: (under: StoreUnderTest) => Promise<void>;
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const DAY = 86_400_000;

/** What discovery's store promises, whatever it is. */
export const discoveryStoreContract: readonly Clause[] = [
  {
    name: "DS29 a key that was never written has no document",
    async holds({ store, key }) {
      expect(await store.get(key("nothing"))).toBeNull();
    },
  },
  {
    name: "DS29 a document is returned byte for byte, whatever its bytes and length",
    async holds({ store, key, now }) {
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
    async holds({ store, key, now }) {
      await store.put(key("a"), bytes(1), now() + DAY);
      await store.put(key("b"), bytes(2), now() + DAY);
      await store.put(key("a"), bytes(3), now() + DAY);
      expect(await store.get(key("a"))).toEqual(bytes(3));
      expect(await store.get(key("b"))).toEqual(bytes(2));
    },
  },
  {
    name: "DS29 a deleted document is missing, and deleting it again succeeds",
    async holds({ store, key, now }) {
      await store.put(key("gone"), bytes(1), now() + DAY);
      await store.delete(key("gone"));
      expect(await store.get(key("gone"))).toBeNull();
      await store.delete(key("gone"));
      await store.delete(key("never"));
    },
  },
  {
    name: "DS29 a document expires at the given second, or after the store's minimum lifetime",
    async holds({ store, key, now, expiryOf, leastLife }) {
      const asked = Math.floor(now() / 1_000) * 1_000 + DAY;
      await store.put(key("later"), bytes(1), asked);
      expect(await expiryOf(key("later"))).toBe(asked);
      await store.put(key("soon"), bytes(1), now() - 1_000);
      const soon = await expiryOf(key("soon"));
      if (leastLife === 0) expect(await store.get(key("soon"))).toBeNull();
      else expect((soon ?? 0) - now()).toBeLessThanOrEqual(leastLife + 1_000);
    },
  },
];
