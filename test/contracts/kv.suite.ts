import { expect } from "vitest";

interface PutOptions {
  readonly expiration?: number;
  readonly expirationTtl?: number;
  readonly metadata?: unknown;
}

interface ListOptions {
  readonly prefix?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

interface KvList {
  readonly keys: readonly {
    readonly name: string;
    readonly expiration?: number;
    readonly metadata?: unknown;
  }[];
  readonly list_complete: boolean;
  readonly cursor?: string;
}

/** A KV namespace under test, through its binding. */
export interface KvUnderTest {
  put(key: string, value: Uint8Array<ArrayBuffer>, options?: PutOptions): Promise<void>;
  get(
    key: string,
  ): Promise<{ readonly value: Uint8Array<ArrayBuffer> | null; readonly metadata: unknown }>;
  delete(key: string): Promise<void>;
  list(options: ListOptions): Promise<KvList>;
}

interface KvCase {
  readonly name: string;
  readonly run: (kv: KvUnderTest) => Promise<void>;
}

const text = (value: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(new TextEncoder().encode(value));
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

/** Keys that a path, a query, SQL or an encoding could take for something else. */
const HOSTILE_KEYS = [
  "a/b//c/../d",
  "../../etc/passwd",
  "%2e%2e%2f",
  "%00",
  "nul\u0000inside",
  "?query=1&expiration=2#fragment",
  "'; DROP TABLE entries; --",
  'quote" \\ backslash',
  "line\nbreak\r\n\ttab",
  " space ",
  "...",
  "bulk/get",
  "ключ-鍵-🔑",
  "é",
  "e\u0301",
  "\u{10ffff}",
  "%_",
  "a".repeat(512),
  "é".repeat(256),
];

/** Values that a store in between could take for something else. */
const HOSTILE_VALUES: readonly Uint8Array<ArrayBuffer>[] = [
  new Uint8Array(),
  Uint8Array.of(0),
  Uint8Array.from({ length: 256 }, (_, n) => n),
  text("null"),
  text('{"error":"not found"}'),
  Uint8Array.of(0xff, 0xfe, 0xc3, 0x28),
];

const KEY_NAMES = Array.from({ length: 25 }, (_, n) => `list/${String(n).padStart(2, "0")}`);

/** What Muster, or somebody who adds to it, may expect of Workers KV. */
export const kvContract: readonly KvCase[] = [
  {
    name: "has no value under a key that was never written, and deleting it succeeds",
    async run(kv) {
      expect(await kv.get("never")).toEqual({ value: null, metadata: null });
      await kv.delete("never");
    },
  },
  {
    name: "returns each value byte for byte, under each key that is allowed",
    async run(kv) {
      for (const [n, key] of HOSTILE_KEYS.entries())
        await kv.put(key, HOSTILE_VALUES[n % HOSTILE_VALUES.length] ?? text(key));
      for (const [n, key] of HOSTILE_KEYS.entries())
        expect([key, (await kv.get(key)).value]).toEqual([
          key,
          HOSTILE_VALUES[n % HOSTILE_VALUES.length],
        ]);
      const listed = (await kv.list({})).keys.map(({ name }) => name);
      for (const key of HOSTILE_KEYS) expect(listed).toContain(key);
      for (const key of HOSTILE_KEYS) await kv.delete(key);
      for (const key of HOSTILE_KEYS) expect((await kv.get(key)).value).toBeNull();
    },
  },
  {
    name: "stores values of up to 25 MiB, and refuses a longer one",
    async run(kv) {
      // In a loop: a function for each byte takes so long that the store closes a connection that is kept alive.
      const value = new Uint8Array(25 * 1_024 * 1_024);
      for (let n = 0; n < value.length; n++) value[n] = (n * 31) >> 3;
      await kv.put("large", value);
      const got = (await kv.get("large")).value;
      expect(got === null ? 0 : Buffer.compare(got, value)).toBe(0);
      expect(got).toHaveLength(value.length);
      await expect(kv.put("larger", new Uint8Array(value.length + 1))).rejects.toThrow(/413/);
      expect((await kv.get("larger")).value).toBeNull();
      await kv.put("large", text("small"));
      expect((await kv.get("large")).value).toEqual(text("small"));
      await kv.delete("large");
    },
  },
  {
    name: "a later write replaces value, metadata and expiration",
    async run(kv) {
      const expiration = nowSeconds() + 3_600;
      await kv.put("again", text("one"), { expiration, metadata: { n: 1 } });
      expect(await kv.get("again")).toEqual({ value: text("one"), metadata: { n: 1 } });
      expect((await kv.list({ prefix: "again" })).keys).toEqual([
        { name: "again", expiration, metadata: { n: 1 } },
      ]);
      await kv.put("again", text("two"));
      expect(await kv.get("again")).toEqual({ value: text("two"), metadata: null });
      expect((await kv.list({ prefix: "again" })).keys).toEqual([{ name: "again" }]);
      await kv.delete("again");
    },
  },
  {
    name: "refuses a key that is too long or a path segment, and too much metadata",
    async run(kv) {
      for (const key of ["", ".", "..", "a".repeat(513), "é".repeat(257)])
        await expect(kv.put(key, text("x")), JSON.stringify(key)).rejects.toThrow();
      await kv.put("meta", text("x"), { metadata: "m".repeat(1_022) });
      expect((await kv.get("meta")).metadata).toBe("m".repeat(1_022));
      await expect(kv.put("meta", text("y"), { metadata: "m".repeat(1_023) })).rejects.toThrow(
        /413/,
      );
      expect((await kv.get("meta")).value).toEqual(text("x"));
      await kv.delete("meta");
    },
  },
  {
    name: "takes an expiration as a time or as a time to live, at least a minute ahead",
    async run(kv) {
      const before = nowSeconds();
      await kv.put("ttl", text("x"), { expirationTtl: 60 });
      const [listed] = (await kv.list({ prefix: "ttl" })).keys;
      expect(listed?.expiration).toBeGreaterThanOrEqual(before + 60);
      expect(listed?.expiration).toBeLessThanOrEqual(nowSeconds() + 60);
      await kv.delete("ttl");
      const refused: readonly PutOptions[] = [
        { expirationTtl: 59 },
        { expirationTtl: 0 },
        { expirationTtl: -1 },
        { expiration: nowSeconds() - 1 },
        { expiration: nowSeconds() + 30 },
      ];
      for (const options of refused)
        await expect(kv.put("soon", text("x"), options), JSON.stringify(options)).rejects.toThrow(
          /400/,
        );
      expect((await kv.get("soon")).value).toBeNull();
    },
  },
  {
    name: "lists keys in the order of their bytes, by prefix, in pages that neither skip nor repeat one",
    async run(kv) {
      const names = [...KEY_NAMES, "list", "lisu", "list0", "LIST/00", "list/é", "list/\u{1f511}"];
      for (const name of names) await kv.put(name, text(name));
      const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      for (const [prefix, limit] of [
        ["list/", 4],
        ["list/", 27],
        ["list/2", 3],
        ["", 7],
        ["none", 5],
      ] as const) {
        const found: string[] = [];
        let cursor: string | undefined;
        for (;;) {
          const page = await kv.list({ prefix, limit, ...(cursor !== undefined && { cursor }) });
          found.push(...page.keys.map(({ name }) => name));
          expect(page.keys.length).toBeLessThanOrEqual(limit);
          if (page.list_complete) break;
          ({ cursor } = page);
        }
        expect([prefix, found]).toEqual([prefix, sorted.filter((name) => name.startsWith(prefix))]);
      }
      await expect(kv.list({ limit: 1_001 })).rejects.toThrow();
      for (const name of names) await kv.delete(name);
      expect((await kv.list({})).keys).toEqual([]);
    },
  },
  {
    name: "keeps one whole value when several are written to a key at once",
    async run(kv) {
      const values = Array.from({ length: 12 }, (_, n) => new Uint8Array(1_500_000).fill(n));
      await Promise.all(values.map((value) => kv.put("contended", value)));
      const { value } = await kv.get("contended");
      expect(value).toEqual(values[value?.[0] ?? -1]);
      await kv.delete("contended");
    },
  },
];
