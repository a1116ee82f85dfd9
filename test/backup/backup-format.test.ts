import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../src/base/bytes.ts";
import { BackupError, type BackupSummary, type Manifest } from "../../src/backup/format.ts";
import { readBackup } from "../../src/backup/read-backup.ts";
import { stateOf, writeBackup } from "../../src/backup/write-backup.ts";
import { newHash } from "../../src/cli/backup/new-hash.ts";
import type { BackupRow, BackupTablePage } from "../../src/registry/backup-tables.ts";

const MANIFEST: Manifest = {
  muster_backup: 1,
  muster: "0.1.0",
  schema: 43,
  created_at: "2026-01-01T00:00:00.000Z",
  mesh_key: "ab".repeat(32),
  secrets: null,
};

interface Content {
  readonly results: readonly (readonly [string, Uint8Array])[];
  readonly tables: readonly BackupTablePage[];
}

async function backupOf({ results, tables }: Content): Promise<Uint8Array> {
  const chunks = writeBackup(
    {
      manifest: MANIFEST,
      results: (async function* () {
        for (const [id, content] of results)
          yield { id, bytes: content.length, content: [content] };
      })(),
      tables,
      missingResults: () => 0,
    },
    newHash,
  );
  return new Uint8Array(await new Response(streamOf(chunks)).arrayBuffer());
}

const streamOf = (chunks: AsyncIterable<Uint8Array>): ReadableStream =>
  new ReadableStream({
    async start(out) {
      for await (const chunk of chunks) out.enqueue(chunk);
      out.close();
    },
  });

async function read(bytes: Uint8Array, cut = bytes.length) {
  const found: { results: [string, Uint8Array][]; tables: [string, BackupRow[]][] } = {
    results: [],
    tables: [],
  };
  const chunks = (async function* () {
    for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut);
  })();
  const { summary } = await readBackup(
    chunks,
    {
      manifest: () => {},
      async result(id, content) {
        const parts: number[] = [];
        for await (const part of content) parts.push(...part);
        found.results.push([id, Uint8Array.from(parts)]);
      },
      cell: () => expect.unreachable("a further cell"),
      table: (name) => void found.tables.push([name, []]),
      rows: (rows) => void found.tables.at(-1)?.[1].push(...rows),
    },
    newHash,
  );
  return { ...found, summary };
}

const CELL = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constant(null),
);
const CONTENT: fc.Arbitrary<Content> = fc.record({
  results: fc.uniqueArray(
    fc.tuple(fc.stringMatching(/^[0-9a-f]{32}$/), fc.uint8Array({ maxLength: 300 })),
    { maxLength: 4, selector: ([id]) => id },
  ),
  tables: fc
    .uniqueArray(fc.stringMatching(/^[a-z]{1,5}$/), { maxLength: 4 })
    .chain((names) =>
      fc.tuple(
        ...names.map((table) =>
          fc
            .array(fc.tuple(CELL, CELL), { maxLength: 5 })
            .map((rows) => ({ table, columns: ["a", "b"], rows })),
        ),
      ),
    ),
});

const codeOf = (error: unknown): string =>
  error instanceof BackupError ? error.code : `unexpected: ${String(error)}`;

describe("the format of a backup", () => {
  test("BK2 gives back what was written, in parts of any size", async () => {
    await fc.assert(
      fc.asyncProperty(CONTENT, fc.integer({ min: 1, max: 100 }), async (content, cut) => {
        const found = await read(await backupOf(content), cut);
        expect(found.results).toEqual(content.results.map(([id, bytes]) => [id, bytes]));
        // JSON has no negative zero.
        expect(found.tables).toEqual(
          JSON.parse(JSON.stringify(content.tables.map(({ table, rows }) => [table, rows]))),
        );
        const { state_hash } = await stateOf(content.tables, newHash);
        expect(found.summary.state_hash).toBe(state_hash);
      }),
      { numRuns: 100 },
    );
  });

  test("BK3 is refused when it is cut off, at every byte", async () => {
    const bytes = await backupOf(SAMPLE);
    for (let length = 0; length < bytes.length; length++) {
      const code = await read(bytes.slice(0, length), 64).then(() => "read", codeOf);
      expect(["backup_cut_off", "backup_unknown"], `at ${length}`).toContain(code);
    }
  });

  test("BK3 is refused when any bit of it is changed, and when something follows it", async () => {
    const bytes = await backupOf(SAMPLE);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const code = await read(changed, 256).then(() => "read", codeOf);
      expect(code, `bit ${bit}`).toMatch(/^backup_(?:damaged|cut_off|unknown|newer)$/);
    }
    const longer = Uint8Array.from([...bytes, 10]);
    expect(await read(longer).then(() => "read", codeOf)).toBe("backup_damaged");
  });

  test("BK3 a file of a newer format, and one that is no backup, are refused by name", async () => {
    for (const [text, code] of [
      ['{"muster_backup":3}\n', "backup_newer"],
      ['{"muster_backup":2}\n', "backup_damaged"],
      ["SQLite format 3\0", "backup_unknown"],
      ["", "backup_unknown"],
      ['{"muster_backup":1}\n', "backup_damaged"],
    ] as const)
      expect(await read(utf8(text)).then(() => "read", codeOf)).toBe(code);
  });

  test("BK3 a number that JSON cannot write is refused rather than turned into null", async () => {
    const tables = [{ table: "t", columns: ["a"], rows: [[Number.POSITIVE_INFINITY]] }];
    await expect(backupOf({ results: [], tables })).rejects.toThrow("not finite");
  });

  test("BK6 the state hash depends on every cell, on the order of rows and on the names, and on nothing else", async () => {
    const page = (table: string, rows: BackupRow[]) => ({ table, columns: ["a", "b"], rows });
    const hashOf = async (tables: BackupTablePage[]): Promise<string> =>
      (await stateOf(tables, newHash)).state_hash;
    const base = await hashOf([
      page("t", [
        ["x", 1],
        ["y", null],
      ]),
    ]);
    expect(await hashOf([page("t", [["x", 1]]), page("t", [["y", null]])])).toBe(base);
    const others = [
      [
        page("t", [
          ["x", 2],
          ["y", null],
        ]),
      ],
      [
        page("t", [
          ["x", "1"],
          ["y", null],
        ]),
      ],
      [
        page("t", [
          ["y", null],
          ["x", 1],
        ]),
      ],
      [
        page("u", [
          ["x", 1],
          ["y", null],
        ]),
      ],
      [
        page("t", [
          ["x", 1],
          ["y", null],
        ]),
        page("u", []),
      ],
      [page("t", [["x", 1]])],
    ];
    const hashes = await Promise.all(others.map(hashOf));
    expect(new Set([base, ...hashes]).size).toBe(others.length + 1);
  });

  test("BK2 the last line counts what is in the file", async () => {
    const text = fromUtf8(await backupOf(SAMPLE)) ?? "";
    const last = JSON.parse(text.trimEnd().split("\n").at(-2) ?? "") as { end: BackupSummary };
    expect(last.end).toMatchObject({ tables: 2, rows: 3, results: 1, missing_results: 0 });
  });
});

const SAMPLE: Content = {
  results: [["5e".repeat(16), utf8('{"pages":[1]}')]],
  tables: [
    {
      table: "peers",
      columns: ["id", "score"],
      rows: [
        ["a", 0.5],
        ["b", null],
      ],
    },
    { table: "tasks", columns: ["id", "seq"], rows: [["t", 7]] },
  ],
};
