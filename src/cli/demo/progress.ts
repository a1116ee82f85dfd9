import { canRewrite, clearRewritten, note, rewrite } from "../output.ts";

/** How often a line is written where stderr is not a terminal. */
const LINE_EVERY_MS = 2_000;

/** Shows the progress of the demo: one line that is rewritten on a terminal, a new line at intervals elsewhere. */
export class Progress {
  readonly #isTerminal = canRewrite();
  #shownAt = 0;
  #shown = "";

  show(text: string): void {
    if (text === this.#shown) return;
    if (this.#isTerminal) rewrite(text);
    else {
      const now = Date.now();
      if (now - this.#shownAt < LINE_EVERY_MS) return;
      this.#shownAt = now;
      note(text);
    }
    this.#shown = text;
  }

  /** Writes a line that stays, above the progress line. */
  note(text: string): void {
    this.clear();
    note(text);
  }

  clear(): void {
    if (this.#isTerminal && this.#shown !== "") clearRewritten();
    this.#shown = "";
  }
}
