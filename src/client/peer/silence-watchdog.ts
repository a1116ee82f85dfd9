import type { Millis } from "../../base/clock.ts";

/**
 * Calls `expired` once there was no activity for `timeout`. Activity only stores the time, and one timer checks it, so
 * that a busy session does not reset a timer for each frame.
 */
export class SilenceWatchdog {
  readonly #timeout: Millis;
  readonly #now: () => Millis;
  readonly #expired: () => void;
  #activeAt: Millis;
  #timer: ReturnType<typeof setTimeout>;

  constructor(timeout: Millis, now: () => Millis, expired: () => void) {
    this.#timeout = timeout;
    this.#now = now;
    this.#expired = expired;
    this.#activeAt = now();
    this.#timer = setTimeout(() => this.#check(), timeout);
  }

  activity(): void {
    this.#activeAt = this.#now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #check(): void {
    const remaining = this.#activeAt + this.#timeout - this.#now();
    if (remaining <= 0) return this.#expired();
    // If the clock was set back, `remaining` is too long: never wait longer than the timeout.
    this.#timer = setTimeout(() => this.#check(), Math.min(remaining, this.#timeout));
  }
}
