import { concat } from "../base/bytes.ts";
import { BackupError } from "./format.ts";

const NEWLINE = 10;

/** Reads lines, and parts of a given length, from a stream of bytes. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next line with its newline; null at the end of the stream. */
  async line(max: number): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      if (!(await this.#fill())) {
        if (length === 0) return null;
        throw cutOff();
      }
      const end = this.#chunk.indexOf(NEWLINE, this.#at);
      const part = this.#take(end < 0 ? this.#chunk.length : end + 1);
      length += part.length;
      if (length > max)
        throw new BackupError("backup_damaged", `a line has more than ${max} bytes`);
      if (end >= 0 && parts.length === 0) return part;
      parts.push(part);
      if (end >= 0) return concat(...parts);
    }
  }

  /** The next `length` bytes, in parts. */
  async *bytes(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = length; left > 0;) {
      if (!(await this.#fill())) throw cutOff();
      const part = this.#take(Math.min(this.#at + left, this.#chunk.length));
      left -= part.length;
      yield part;
    }
  }

  /** Whether the stream has ended. */
  async isAtEnd(): Promise<boolean> {
    return !(await this.#fill());
  }

  /** Reads another chunk when this one is used up; false at the end. */
  async #fill(): Promise<boolean> {
    while (this.#at === this.#chunk.length) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      this.#chunk = value;
      this.#at = 0;
    }
    return true;
  }

  #take(end: number): Uint8Array {
    const part = this.#chunk.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

export const cutOff = (): BackupError =>
  new BackupError("backup_cut_off", "the backup is cut off: its last line is missing");
