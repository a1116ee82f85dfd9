/** The current chunk of a text that comes in chunks, and what is still needed of the chunks before it. */
export class KeptText {
  #chunk = "";
  /** Position of the chunk's first character. */
  #start = 0;
  /** Text before the chunk that is still needed; it ends where the chunk starts. */
  #before = "";

  /** Position of the chunk's first character, or after `advance` of the next one's. */
  get start(): number {
    return this.#start;
  }

  /** Characters kept from earlier chunks. */
  get length(): number {
    return this.#before.length;
  }

  begin(chunk: string): void {
    this.#chunk = chunk;
  }

  /** Ends the chunk; keeps the text from position `from` on. */
  advance(from: number): void {
    const end = this.#start + this.#chunk.length;
    if (from >= end) this.#before = "";
    else if (from >= this.#start) this.#before = this.#chunk.slice(from - this.#start);
    else {
      const excess = from - (this.#start - this.#before.length);
      this.#before = (excess > 0 ? this.#before.slice(excess) : this.#before) + this.#chunk;
    }
    this.#chunk = "";
    this.#start = end;
  }

  /** The text between two positions, of which the first was kept or lies in the chunk. */
  slice(start: number, end: number): string {
    if (start >= this.#start) {
      return this.#chunk.slice(start - this.#start, end - this.#start);
    }
    const first = this.#start - this.#before.length;
    const head = this.#before.slice(start - first, end - first);
    return end <= this.#start ? head : head + this.#chunk.slice(0, end - this.#start);
  }
}
