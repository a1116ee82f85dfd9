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
  #isWanted = false;

  /** Null while nothing is queued. */
  due(now: Millis, isQueued: boolean): Millis | null {
    if (!isQueued) {
      this.#interval = INTERVAL;
      this.#isWanted = false;
      return (this.#next = null);
    }
    // A clock that was set back must not stop it.
    if (this.#next === null || this.#next > now + INTERVAL_MAX) this.#next = now + FIRST_LOOK;
    return this.#next;
  }

  /** A task has failed and pauses: whether it should move is looked at before it goes on here. */
  hurry(now: Millis): void {
    this.#interval = INTERVAL;
    this.#next = Math.min(this.#next ?? Number.POSITIVE_INFINITY, now + SHORTEST);
  }

  /**
   * Notes that it is time to look, if it is. The next look is after a pause, whether or not this one has ended by then: it may wait for a cell
   * that does not answer, and what is due in the past would make the alarm ring again and again.
   */
  tick(now: Millis, isQueued: boolean): void {
    const due = this.due(now, isQueued);
    if (due === null || due > now) return;
    this.#next = now + this.#interval;
    this.#isWanted = true;
  }

  /** Whether to look now; a look that begins is noted. */
  begins(): boolean {
    const isWanted = this.#isWanted;
    this.#isWanted = false;
    return isWanted;
  }

  /** A look has ended. */
  ended(now: Millis, hasMoved: boolean): void {
    this.#interval = hasMoved ? INTERVAL : Math.min(2 * this.#interval, INTERVAL_MAX);
    if (this.#next !== null) this.#next = now + this.#interval;
  }
}
