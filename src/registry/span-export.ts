import type { Millis } from "../base/clock.ts";

/** How the export of spans goes, in memory: a mesh that starts tries at once. */
export class SpanExportState {
  readonly #onChange: () => void;
  #heldUntil: Millis = 0;
  #failures = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Nothing is sent before this: the collector did not answer, or asked to wait. */
  get heldUntil(): Millis {
    return this.#heldUntil;
  }

  /** Requests in a row that are to be repeated. */
  get failures(): number {
    return this.#failures;
  }

  hold(until: Millis): void {
    this.#failures++;
    this.#heldUntil = until;
    this.#onChange();
  }

  answered(): void {
    this.#failures = 0;
    this.#heldUntil = 0;
  }
}
