import { concat, fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import { parseJson } from "../base/json.ts";
import { isRow, type BackupTarget } from "./read-backup.ts";
import { BackupError, LINE_BYTES_MAX, ResultLine, TableLine } from "./format.ts";

/*
 * An import sends a backup in parts. Each part can be read by itself. It is either a line `{"table":…,"columns":…}` and rows of that
 * table, one on each line, or a line `{"result":…,"bytes":…}` and the bytes of that result.
 */

/** A part with rows is sent once it has so many bytes. */
const ROWS_PART_BYTES = 1_024 * 1_024;
/** No part with rows has more: a single row may be large. */
const ROWS_PART_BYTES_MAX = LINE_BYTES_MAX + ROWS_PART_BYTES;
/** No part has more: the largest result and its line. */
export const PART_BYTES_MAX = 25 * 1_024 * 1_024 + 1_024;

/** What is in a part. */
export type ImportPartContent =
  | {
      readonly table: string;
      readonly columns: readonly string[];
      /** A JSON array of the rows, each of which is one of the table. */
      readonly rows: string;
    }
  | { readonly result: string; readonly bytes: Bytes };

/** Reads a part. Throws a `BackupError` for one that has another form. */
export function readPart(part: Bytes): ImportPartContent {
  const end = part.indexOf(NEWLINE);
  const head = end < 0 ? undefined : jsonOf(part.subarray(0, end));
  const rest = part.subarray(end + 1);
  const result = ResultLine.safeParse(head).data;
  if (result !== undefined) {
    if (rest.length !== result.bytes)
      throw damaged(`it states a result of ${result.bytes} bytes, and has ${rest.length}`);
    return { result: result.result, bytes: rest };
  }
  const table = TableLine.safeParse(head).data;
  if (table === undefined) throw damaged("its first line names neither a table nor a result");
  if (part.length > ROWS_PART_BYTES_MAX)
    throw damaged(`its rows have more than ${ROWS_PART_BYTES_MAX} bytes`);
  return { ...table, rows: rowsOf(rest, table.columns.length) };
}

function rowsOf(bytes: Bytes, width: number): string {
  const text = fromUtf8(bytes);
  // No line break is within a line: JSON escapes those of strings.
  const lines = text?.split("\n") ?? [];
  if (lines.pop() !== "") throw damaged("a row does not fit its table");
  for (const line of lines) {
    const row: unknown = parseJson(line);
    if (!Array.isArray(row) || !isRow(row, width)) throw damaged("a row does not fit its table");
  }
  return `[${lines.join(",")}]`;
}

const NEWLINE = 10;

const jsonOf = (bytes: Uint8Array): unknown => parseJson(fromUtf8(bytes) ?? "");

const damaged = (what: string): BackupError =>
  new BackupError("backup_damaged", `this part of a backup is damaged: ${what}`);

/** Cuts a backup that is read into parts: the same backup always into the same ones. `end` follows the last row. */
export class PartCutter implements BackupTarget {
  readonly #send: (part: Bytes) => void | Promise<void>;
  #head = "";
  #lines: Uint8Array[] = [];
  #bytes = 0;

  constructor(send: (part: Bytes) => void | Promise<void>) {
    this.#send = send;
  }

  manifest(): void {}

  cell(): never {
    throw new BackupError(
      "backup_damaged",
      "a backup of several cells is restored into a folder only",
    );
  }

  async result(id: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of content) {
      parts.push(part.slice());
      bytes += part.length;
    }
    await this.#send(concat(utf8(`${JSON.stringify({ result: id, bytes })}\n`), ...parts));
  }

  async table(table: string, columns: readonly string[]): Promise<void> {
    await this.end();
    this.#head = `${JSON.stringify({ table, columns })}\n`;
  }

  async rows(_rows: readonly unknown[], lines: readonly Uint8Array[]): Promise<void> {
    for (const line of lines) {
      this.#lines.push(line.slice());
      this.#bytes += line.length;
      if (this.#bytes >= ROWS_PART_BYTES) await this.end();
    }
  }

  async end(): Promise<void> {
    const lines = this.#lines;
    [this.#lines, this.#bytes] = [[], 0];
    if (lines.length > 0) await this.#send(concat(utf8(this.#head), ...lines));
  }
}
