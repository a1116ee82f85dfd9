import type { Millis } from "../../base/clock.ts";
import { LOOP_BLOCKED_MIN, LOOP_CHECK_INTERVAL } from "../timings.ts";

/**
 * Notices when something has blocked the event loop: a timer then fires late. Nothing can be reported while the loop is
 * blocked, so the report comes afterwards.
 */
export class LoopMonitor {
  readonly #now: () => Millis;
  readonly #blocked: (blocked: Millis) => void;
  #dueAt: Millis = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `now` must not jump: a clock that only counts while the machine runs, such as `performance.now()`. */
  constructor(now: () => Millis, blocked: (blocked: Millis) => void) {
    this.#now = now;
    this.#blocked = blocked;
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#dueAt = this.#now() + LOOP_CHECK_INTERVAL;
    this.#timer = setTimeout(() => this.#check(), LOOP_CHECK_INTERVAL);
  }

  #check(): void {
    const late = this.#now() - this.#dueAt;
    this.#schedule();
    if (late >= LOOP_BLOCKED_MIN) this.#blocked(Math.round(late));
  }
}
