/** Writes some of the bytes from a position on, and returns how many; throws if none fit. */
type WriteSome = (bytes: Uint8Array, from: number) => number;

/**
 * A file that takes lines while there is room. What does not fit is lost, and a line of which a part was written ends before the next one
 * begins.
 */
export class OutputFile {
  readonly #writeSome: WriteSome;
  #isTorn = false;

  constructor(writeSome: WriteSome) {
    this.#writeSome = writeSome;
  }

  /** @param lines whole lines */
  write(lines: string): void {
    const bytes = Buffer.from(this.#isTorn ? `\n${lines}` : lines);
    let written = 0;
    try {
      while (written < bytes.length) written += this.#writeSome(bytes, written);
    } catch {
      // A full disk. There is nobody to tell: what would tell it is this file.
    }
    if (written > 0) this.#isTorn = written < bytes.length;
  }
}
