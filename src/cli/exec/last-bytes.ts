/** Keeps the last `max` bytes of what comes, and says whether there was more. */
export class LastBytes {
  readonly #max: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #hasOverflowed = false;

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether more than `max` bytes came. */
  get hasOverflowed(): boolean {
    return this.#hasOverflowed;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size <= this.#max) return;
    this.#hasOverflowed = true;
    // Not with each chunk, which may have a few bytes only.
    if (this.#size > 2 * this.#max) this.#trim();
  }

  bytes(): Buffer {
    this.#trim();
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #trim(): void {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [Buffer.from(all.subarray(Math.max(0, all.length - this.#max)))];
    this.#size = Math.min(all.length, this.#max);
  }
}
