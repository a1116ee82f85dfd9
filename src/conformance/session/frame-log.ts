import type { Millis } from "../../base/clock.ts";

/** Entries that are kept of one check: enough for what led to a failure. */
const ENTRIES_MAX = 40;
const TEXT_CHARS_MAX = 240;

/** What passed between the kit and the program under test, for the report of a failure. */
export class FrameLog {
  readonly #now: () => Millis;
  readonly #startedAt: Millis;
  #entries: readonly string[] = [];

  constructor(now: () => Millis) {
    this.#now = now;
    this.#startedAt = now();
  }

  add(direction: "->" | "<-" | "--", text: string): void {
    const at = ((this.#now() - this.#startedAt) / 1_000).toFixed(3);
    const short =
      text.length <= TEXT_CHARS_MAX
        ? text
        : `${text.slice(0, TEXT_CHARS_MAX)}… (${text.length} characters)`;
    this.#entries = [...this.#entries, `${at} s ${direction} ${short}`].slice(-ENTRIES_MAX);
  }

  /** The newest entries, in their order. `->`: from the peer; `<-`: from the mesh. */
  last(count: number): readonly string[] {
    return this.#entries.slice(-count);
  }
}
