import { SECOND, type Millis } from "../base/clock.ts";

/** From the first queued task until it is looked whether one should move. */
const FIRST_LOOK: Millis = SECOND / 4;
/** The same if a task has failed: shorter than the shortest usual pause before its next attempt. */
const SHORTEST: Millis = SECOND / 8;
/** Between two looks, while tasks move, and the longest pause while none does. */
const INTERVAL: Millis = SECOND / 4;
const INTERVAL_MAX: Millis = SECOND;

/** When a cell looks next whether queued tasks should move to another cell, in memory. A cell without queued tasks does not look. */
export class TaskMoveClock {
  #next: Millis | null = null;
  #interval = INTERVAL;
  #isLooking = false;

  /** Null while nothing is queued. */
  due(now: Millis, isQueued: boolean): Millis | null {
    if (!isQueued) {
      this.#interval = INTERVAL;
      return (this.#next = null);
    }
    // A clock that was set back must not stop it.
    if (this.#next === null || this.#next > now + INTERVAL_MAX) this.#next = now + FIRST_LOOK;
    // A look may last until a cell that does not answer is given up. Nothing is due meanwhile, but an alarm has to come after it.
    if (this.#isLooking && this.#next <= now) this.#next = now + this.#interval;
    return this.#next;
  }

  /** A task has failed and pauses: whether it should move is looked at before it goes on here. */
  hurry(now: Millis): void {
    this.#interval = INTERVAL;
    this.#next = Math.min(this.#next ?? Number.POSITIVE_INFINITY, now + SHORTEST);
  }

  /** Whether to look now; if so, the next look is after a pause. */
  begins(now: Millis, isQueued: boolean): boolean {
    const due = this.due(now, isQueued);
    if (due === null || due > now) return false;
    this.#next = now + this.#interval;
    this.#isLooking = true;
    return true;
  }

  /** A look has ended. */
  ended(now: Millis, hasMoved: boolean): void {
    this.#isLooking = false;
    this.#interval = hasMoved ? INTERVAL : Math.min(2 * this.#interval, INTERVAL_MAX);
    if (this.#next !== null) this.#next = now + this.#interval;
  }
}
