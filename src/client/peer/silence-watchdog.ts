import type { Millis } from "../../base/clock.ts";

/**
 * Notices silence: calls `expired` once nothing was heard for `patience`. Hearing something only notes the time; the
 * one timer looks at it when it rings, so that a busy session does not set a timer per frame.
 */
export class Watchdog {
  readonly #patience: Millis;
  readonly #now: () => Millis;
  readonly #expired: () => void;
  #heardAt: Millis;
  #timer: ReturnType<typeof setTimeout>;

  constructor(patience: Millis, now: () => Millis, expired: () => void) {
    this.#patience = patience;
    this.#now = now;
    this.#expired = expired;
    this.#heardAt = now();
    this.#timer = setTimeout(() => this.#look(), patience);
  }

  heard(): void {
    this.#heardAt = this.#now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const left = this.#heardAt + this.#patience - this.#now();
    if (left <= 0) return this.#expired();
    // A clock set back makes `left` too long; never wait longer than from scratch.
    this.#timer = setTimeout(() => this.#look(), Math.min(left, this.#patience));
  }
}
