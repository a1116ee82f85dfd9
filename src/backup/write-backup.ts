import { utf8 } from "../base/bytes.ts";
import type { BackupRow, BackupTablePage } from "../registry/backup-tables.ts";
import type { NewHash } from "../base/streamed-hash.ts";
import { type BackupSummary, type Manifest } from "./format.ts";
import { RunningHash } from "./running-hash.ts";

/** One task result of the store. */
export interface BackupResult {
  readonly id: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface BackupContent {
  readonly manifest: Manifest;
  /** Read to its end before `tables` is read. */
  readonly results: AsyncIterable<BackupResult>;
  /** In the order of the tables' names, for each cell. */
  readonly tables: AsyncIterable<TablePage> | Iterable<TablePage>;
  /** How many results the tables name that were not found; asked once everything else was read. */
  readonly missingResults: () => number;
}

/** The first of the pages of a further cell follows this. */
export interface CellHead {
  readonly cell: number;
  readonly schema: number;
}

/** A page of rows, or of so many lines of rows that were written already. */
type TablePage =
  | CellHead
  | BackupTablePage
  | {
      readonly table: string;
      readonly columns: readonly string[];
      readonly lines: string;
      readonly rows: number;
    };

const NEWLINE = utf8("\n");
const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** The bytes of a backup. Returns what its last line says. */
export async function* writeBackup(
  { manifest, results, tables, missingResults }: BackupContent,
  newHash: NewHash,
): AsyncGenerator<Uint8Array, BackupSummary, undefined> {
  const whole = new RunningHash(newHash);
  const hashed = async (bytes: Uint8Array): Promise<Uint8Array> => {
    await whole.update(bytes);
    return bytes;
  };
  yield await hashed(utf8(line(manifest)));
  let resultCount = 0;
  for await (const { id, bytes, content } of results) {
    resultCount++;
    yield await hashed(utf8(line({ result: id, bytes })));
    let length = 0;
    for await (const part of content) {
      length += part.length;
      yield await hashed(part);
    }
    if (length !== bytes)
      throw new Error(`result ${id} has ${length} bytes, and its length was read as ${bytes}`);
    yield await hashed(NEWLINE);
  }
  const pages = tablePages(tables, newHash);
  for (;;) {
    const { done, value } = await pages.next();
    if (done === true) {
      const end: BackupSummary = {
        ...value,
        results: resultCount,
        missing_results: missingResults(),
      };
      yield await hashed(utf8(line({ end })));
      yield utf8(line({ sha256: await whole.digest() }));
      return end;
    }
    yield await hashed(value);
  }
}

type StateSummary = Pick<BackupSummary, "tables" | "rows" | "state_hash">;

/** The lines of the tables. Returns their number and their hash. */
async function* tablePages(
  tables: BackupContent["tables"],
  newHash: NewHash,
): AsyncGenerator<Uint8Array, StateSummary, undefined> {
  const state = new RunningHash(newHash);
  const counts = { tables: 0, rows: 0 };
  let current: string | null = null;
  for await (const page of tables) {
    if ("cell" in page) {
      current = null;
      const bytes = utf8(line(page));
      await state.update(bytes);
      yield bytes;
      continue;
    }
    const { table, columns } = page;
    const head = table === current ? "" : line({ table, columns });
    counts.tables += Number(table !== current);
    current = table;
    const isWritten = "lines" in page;
    counts.rows += isWritten ? page.rows : page.rows.length;
    const bytes = utf8(head + (isWritten ? page.lines : page.rows.map(rowLine).join("")));
    await state.update(bytes);
    if (bytes.length > 0) yield bytes;
  }
  return { ...counts, state_hash: await state.digest() };
}

/** JSON has no Infinity, and would silently write null. */
function rowLine(row: BackupRow): string {
  if (row.some((value) => typeof value === "number" && !Number.isFinite(value)))
    throw new TypeError("a row has a number that is not finite");
  return line(row);
}

/** The hash of a state alone: what `BackupSummary` says of the same tables. */
export async function stateOf(
  tables: BackupContent["tables"],
  newHash: NewHash,
): Promise<StateSummary> {
  const pages = tablePages(tables, newHash);
  for (;;) {
    const { done, value } = await pages.next();
    if (done === true) return value;
  }
}
