import { SECOND } from "../../base/clock.ts";

/** The longest delay of a timer: 2^31 - 1 ms, almost 25 days. The mesh alone ends attempts that may take longer. */
const TIMER_MAX = 2_147_483_647;

/** Ends an attempt that takes too long: calls `expired` with the time that it was given, in seconds. */
export class AttemptTimer {
  readonly #expired: (seconds: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(expired: (seconds: number) => void) {
    this.#expired = expired;
  }

  /** The attempt starts now; without `seconds` it may take any time. A newer attempt that continues the work starts anew. */
  start(seconds: number | undefined): void {
    this.stop();
    if (seconds === undefined || seconds * SECOND > TIMER_MAX) return;
    this.#timer = setTimeout(() => this.#expired(seconds), seconds * SECOND);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
