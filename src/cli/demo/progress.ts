import { note } from "../output.ts";

/** A pipe gets a line this often, not one per change. */
const LINE_EVERY_MS = 2_000;

/** Shows where the demo stands: one line that rewrites itself on a terminal, now and then a line elsewhere. */
export class Progress {
  readonly #live = process.stderr.isTTY;
  #shownAt = 0;
  #shown = "";

  show(text: string): void {
    if (text === this.#shown) return;
    if (this.#live) {
      // A terminal that does not know its width says 0.
      const width = (process.stderr.columns || 80) - 1;
      process.stderr.write(`\r\u001b[K${text.slice(0, width)}`);
    } else {
      const now = Date.now();
      if (now - this.#shownAt < LINE_EVERY_MS) return;
      this.#shownAt = now;
      note(text);
    }
    this.#shown = text;
  }

  /** A line that stays, above the live one. */
  note(text: string): void {
    this.clear();
    note(text);
  }

  clear(): void {
    if (this.#live && this.#shown !== "") process.stderr.write("\r\u001b[K");
    this.#shown = "";
  }
}
