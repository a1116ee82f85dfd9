import { mayBecomeMusterLine, messageOf, NO_RETRY_WORD, wordOf } from "./muster-line.ts";
import { readProgressLine, type ReportedProgress } from "./progress-line.ts";

/** A longer line reports no progress: its message is cut to 500 characters anyway. Of the other message no more is kept. */
export const MUSTER_LINE_BYTES_MAX = 4_096;
/** How much of a malformed line is shown. */
const SHOWN_CHARS_MAX = 80;
const NEWLINE = 0x0a;

export interface StderrListener {
  progress(reported: ReportedProgress): void;
  /** If the program fails, another attempt would fail, too. */
  noRetry(message: string | undefined): void;
  /** A line for Muster that it can't read: the beginning of its text. */
  malformed(line: string): void;
}

/**
 * Takes the lines for Muster out of what a program writes to stderr, in whatever chunks it comes. Everything else is returned as it is.
 * Of an unfinished line at most `MUSTER_LINE_BYTES_MAX` bytes are kept.
 */
export class StderrFilter {
  readonly #listener: StderrListener;
  /** The beginning of a line that may become a line for Muster. */
  #begun: Buffer = Buffer.alloc(0);
  /** What happens to the bytes up to the next newline, if the beginning of their line has decided it. */
  #rest: "keep" | "drop" | null = null;

  constructor(listener: StderrListener) {
    this.#listener = listener;
  }

  /** The parts of the chunk that are not for Muster. */
  push(chunk: Buffer): readonly Buffer[] {
    const kept: Buffer[] = [];
    let bytes = this.#finishLine(chunk, kept);
    if (bytes === null) return kept;
    if (this.#begun.length > 0) bytes = Buffer.concat([this.#begun, bytes]);
    this.#begun = Buffer.alloc(0);
    let keptFrom = 0;
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = bytes.subarray(start, end);
      if (wordOf(line) !== null) {
        kept.push(bytes.subarray(keptFrom, start));
        keptFrom = end + 1;
        this.#read(line);
      }
      start = end + 1;
    }
    kept.push(bytes.subarray(keptFrom, start));
    this.#begin(bytes.subarray(start), kept);
    return kept;
  }

  /** The program has ended: the last line needs no newline. Returns it if it is not for Muster. */
  end(): Buffer {
    const last = this.#begun;
    this.#begun = Buffer.alloc(0);
    if (wordOf(last) === null) return last;
    this.#read(last);
    return Buffer.alloc(0);
  }

  /** The bytes after the line that was decided before; null if it has not ended. */
  #finishLine(chunk: Buffer, kept: Buffer[]): Buffer | null {
    if (this.#rest === null) return chunk;
    const end = chunk.indexOf(NEWLINE);
    const until = end < 0 ? chunk.length : end + 1;
    if (this.#rest === "keep") kept.push(chunk.subarray(0, until));
    if (end < 0) return null;
    this.#rest = null;
    return chunk.subarray(until);
  }

  /** The beginning of a line whose end has not come. */
  #begin(begun: Buffer, kept: Buffer[]): void {
    if (begun.length === 0) return;
    if (!mayBecomeMusterLine(begun)) {
      kept.push(begun);
      this.#rest = "keep";
    } else if (begun.length > MUSTER_LINE_BYTES_MAX) {
      this.#read(begun);
      this.#rest = "drop";
    } else this.#begun = Buffer.from(begun); // a copy: the chunk is as large as the pipe's buffer
  }

  #read(line: Buffer): void {
    const text = line.subarray(0, MUSTER_LINE_BYTES_MAX).toString("utf8");
    if (wordOf(line) === NO_RETRY_WORD) {
      this.#listener.noRetry(messageOf(text));
      return;
    }
    const reported = line.length > MUSTER_LINE_BYTES_MAX ? null : readProgressLine(text);
    if (reported === null) this.#malformed(text);
    else this.#listener.progress(reported);
  }

  #malformed(text: string): void {
    this.#listener.malformed(text.trimEnd().slice(0, SHOWN_CHARS_MAX));
  }
}
