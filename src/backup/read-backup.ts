import { fromUtf8 } from "../base/bytes.ts";
import { parseJson } from "../base/json.ts";
import type { BackupRow } from "../registry/backup-tables.ts";
import type { NewHash } from "../base/streamed-hash.ts";
import { ByteSource, cutOff } from "./byte-source.ts";
import {
  BackupError,
  CellLine,
  CELLS_FORMAT_VERSION,
  EndLine,
  HashLine,
  LINE_BYTES_MAX,
  Manifest,
  MANIFEST_BYTES_MAX,
  ResultLine,
  TableLine,
  type BackupSummary,
} from "./format.ts";
import { RunningHash } from "./running-hash.ts";

/** What is done with the parts of a backup, in their order. None of it counts before `readBackup` has returned. */
export interface BackupTarget {
  manifest(manifest: Manifest): void | Promise<void>;
  /** Reads the content to its end. */
  result(id: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** The tables that follow are those of this cell. The first tables are those of cell 0, without such a call. */
  cell(cell: number, schema: number): void | Promise<void>;
  table(name: string, columns: readonly string[]): void | Promise<void>;
  /** @param lines the same rows as they are in the file, valid until the target has returned */
  rows(rows: readonly BackupRow[], lines: readonly Uint8Array[]): void | Promise<void>;
}

/** Rows that are given to the target at once, unless their lines have more bytes. */
const BATCH_ROWS = 1_000;
const BATCH_BYTES = 1_024 * 1_024;

/**
 * Reads a backup, and checks it whole: its form, its counts, and the hashes of its bytes and of its state. Throws a `BackupError`
 * for a file that is cut off, changed, or none.
 */
export async function readBackup(
  chunks: AsyncIterable<Uint8Array>,
  target: BackupTarget,
  newHash: NewHash,
): Promise<{ readonly manifest: Manifest; readonly summary: BackupSummary }> {
  const source = new ByteSource(chunks);
  const whole = new RunningHash(newHash);
  const state = new RunningHash(newHash);
  const counts = { tables: 0, rows: 0, results: 0 };
  const manifest = await readManifest(source, whole);
  const cells = (manifest.cells ?? []).slice(1);
  await target.manifest(manifest);
  let batch: BackupRow[] = [];
  let lines: Uint8Array[] = [];
  let batchBytes = 0;
  let width = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await target.rows(batch, lines);
    batch = [];
    lines = [];
    batchBytes = 0;
  };
  for (;;) {
    const bytes = await source.line(LINE_BYTES_MAX);
    if (bytes === null) throw cutOff();
    const value = parseJson(fromUtf8(bytes) ?? "");
    if (Array.isArray(value)) {
      if (!isRow(value, width)) throw damaged("a row does not fit its table");
      batch.push(value);
      lines.push(bytes);
      batchBytes += bytes.length;
      counts.rows++;
      await whole.update(bytes);
      await state.update(bytes);
      if (batch.length >= BATCH_ROWS || batchBytes >= BATCH_BYTES) await flush();
      continue;
    }
    await flush();
    await whole.update(bytes);
    const end = EndLine.safeParse(value).data?.end;
    if (end !== undefined) {
      if (cells.length > 0) throw damaged(`it lacks cell ${cells[0]}`);
      await checkHash(source, await whole.digest());
      check(end, { ...counts, state_hash: await state.digest() });
      return { manifest, summary: end };
    }
    const table = TableLine.safeParse(value).data;
    if (table !== undefined) {
      counts.tables++;
      width = table.columns.length;
      await state.update(bytes);
      await target.table(table.table, table.columns);
      continue;
    }
    const cell = CellLine.safeParse(value).data;
    if (cell !== undefined) {
      if (cells.shift() !== cell.cell) throw damaged(`cell ${cell.cell} is not at its place`);
      width = 0;
      await state.update(bytes);
      await target.cell(cell.cell, cell.schema);
      continue;
    }
    const result = ResultLine.safeParse(value).data;
    if (result === undefined || counts.tables > 0) throw damaged("it has a line that is not known");
    counts.results++;
    await target.result(result.result, hashed(source.bytes(result.bytes), whole));
    const newline = await source.line(1);
    if (newline === null) throw cutOff();
    await whole.update(newline);
  }
}

async function readManifest(source: ByteSource, whole: RunningHash): Promise<Manifest> {
  const bytes = await source.line(MANIFEST_BYTES_MAX).catch(nullIfOther);
  const value = bytes === null ? undefined : parseJson(fromUtf8(bytes) ?? "");
  if (bytes === null || typeof value !== "object" || value === null || !("muster_backup" in value))
    throw new BackupError("backup_unknown", "this is no backup of Muster");
  const { muster_backup: format } = value;
  if (typeof format === "number" && format > CELLS_FORMAT_VERSION)
    throw new BackupError(
      "backup_newer",
      `this backup has format ${format}, this Muster reads up to ${CELLS_FORMAT_VERSION}: use a newer Muster`,
    );
  const manifest = Manifest.safeParse(value);
  if (!manifest.success) throw damaged("its first line is not valid");
  if ((manifest.data.cells !== undefined) !== (format === CELLS_FORMAT_VERSION))
    throw damaged("its first line does not fit its format");
  await whole.update(bytes);
  return manifest.data;
}

/** A file of another kind has a first line that is too long or has no end. Other errors say why it can't be read: a wrong passphrase, the disk. */
function nullIfOther(error: unknown): null {
  if (error instanceof BackupError && error.code !== "backup_sealed_otherwise") return null;
  throw error;
}

async function* hashed(
  parts: AsyncIterable<Uint8Array>,
  hash: RunningHash,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of parts) {
    await hash.update(part);
    yield part;
  }
}

/** Whether a value is a row of a table with so many columns. */
export const isRow = (value: readonly unknown[], width: number): value is BackupRow =>
  value.length === width &&
  width > 0 &&
  value.every((cell) => cell === null || typeof cell === "string" || typeof cell === "number");

/** Reads the last line: the hash of everything before it. */
async function checkHash(source: ByteSource, hash: string): Promise<void> {
  const bytes = await source.line(LINE_BYTES_MAX);
  if (bytes === null) throw cutOff();
  const stated = HashLine.safeParse(parseJson(fromUtf8(bytes) ?? "")).data?.sha256;
  if (stated !== hash) throw damaged("its bytes do not have the hash that it states");
  if (!(await source.isAtEnd())) throw damaged("something follows its last line");
}

function check(end: BackupSummary, found: Omit<BackupSummary, "missing_results">): void {
  for (const name of ["tables", "rows", "results", "state_hash"] as const)
    if (end[name] !== found[name])
      throw damaged(`it states ${name} ${end[name]}, and has ${found[name]}`);
}

const damaged = (what: string): BackupError =>
  new BackupError("backup_damaged", `the backup is damaged: ${what}`);
