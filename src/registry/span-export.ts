import type { Millis } from "../base/clock.ts";

/** Why spans were not sent. */
export type SpanDrop = "queue_full" | "too_old" | "refused";

/**
 * How the export of spans goes, in memory: a mesh that starts tries at once. The counts are of tasks and callbacks for what never was
 * in a request, else of spans; they begin anew with each start.
 */
export class SpanExportState {
  readonly #onChange: () => void;
  #heldUntil: Millis = 0;
  #failures = 0;
  #sent = 0;
  readonly #dropped: Record<SpanDrop, number> = { queue_full: 0, too_old: 0, refused: 0 };

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

  get sent(): number {
    return this.#sent;
  }

  get dropped(): Readonly<Record<SpanDrop, number>> {
    return this.#dropped;
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

  countSent(spans: number): void {
    this.#sent += spans;
  }

  countDropped(reason: SpanDrop, count: number): void {
    this.#dropped[reason] += count;
  }
}
