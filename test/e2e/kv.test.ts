import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getPlatformProxy } from "wrangler";
import { kvContract, type KvUnderTest } from "../contracts/kv.suite.ts";
import { PlainKv } from "./plain-kv.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-kv-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/**
 * Wrangler's bridge to its own workerd encodes a large value for seconds, after which the connection that it has kept may be closed. The
 * write then has not begun.
 */
const onOpenConnection = (write: () => Promise<void>): Promise<void> =>
  write().catch((error: unknown) => {
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof Error && "code" in cause && cause.code === "EPIPE") return write();
    throw error;
  });

const cases = kvContract.map((each) => [each.name, each] as const);

describe("KV of Muster's host", () => {
  let kv: PlainKv;
  beforeAll(async () => {
    kv = new PlainKv(dir);
    await kv.build();
    await kv.start();
  });
  afterAll(() => kv.kill());

  test.each(cases)("SV2 %s", (_, { run }) => run(kv));

  test("SV3 loses no write that it has acknowledged, and keeps no part of another, when it is killed", async () => {
    for (let round = 0; round < 4; round++) {
      const acknowledged = new Map<string, number>();
      const begun: string[] = [];
      const killed = new AbortController();
      const writers = Array.from({ length: 6 }, async (_, writer) => {
        for (let n = 0; !killed.signal.aborted; n++) {
          const key = `${round}/${writer}/${n}`;
          const size = n % 3 === 0 ? 1_300_000 : 900;
          begun.push(key);
          await kv.put(key, new Uint8Array(size).fill(n % 251)).then(
            () => acknowledged.set(key, size),
            () => undefined,
          );
        }
      });
      while (acknowledged.size < 20 * (round + 1))
        await new Promise((resolve) => setImmediate(resolve));
      await kv.kill();
      killed.abort();
      await Promise.all(writers);
      await kv.start();
      for (const key of begun) {
        const { value } = await kv.get(key);
        const n = Number(key.split("/")[2]);
        if (acknowledged.has(key)) expect(value).toHaveLength(acknowledged.get(key) ?? 0);
        if (value === null) continue;
        // Compared as bytes: `toEqual` takes a second for each megabyte.
        const whole = new Uint8Array(n % 3 === 0 ? 1_300_000 : 900).fill(n % 251);
        expect([key, Buffer.compare(value, whole)]).toEqual([key, 0]);
      }
    }
  });
});

describe("KV of wrangler", () => {
  let kv: KvUnderTest;
  let dispose: () => Promise<void>;
  beforeAll(async () => {
    const configPath = join(dir, "wrangler.toml");
    await writeFile(
      configPath,
      'name = "kv"\ncompatibility_date = "2026-10-01"\n[[kv_namespaces]]\nbinding = "BLOBS"\nid = "kv"\n',
    );
    const proxy = await getPlatformProxy<{ BLOBS: KVNamespace }>({ configPath, persist: false });
    ({ dispose } = proxy);
    const { BLOBS } = proxy.env;
    kv = {
      put: (key, value, options = {}) =>
        onOpenConnection(() => BLOBS.put(key, value.slice().buffer, options)),
      async get(key) {
        const { value, metadata } = await BLOBS.getWithMetadata(key, "arrayBuffer");
        return { value: value === null ? null : new Uint8Array(value), metadata };
      },
      delete: (key) => BLOBS.delete(key),
      list: (options) => BLOBS.list(options),
    };
  });
  afterAll(() => dispose());

  test.each(cases)("SV2 %s", (_, { run }) => run(kv));
});
