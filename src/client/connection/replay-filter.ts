import type { Millis } from "../../base/clock.ts";
import { SEEN_MAX } from "../timings.ts";

/**
 * Remembers the messages already taken, so that a replayed one is dropped. Once the oldest ID has to be forgotten,
 * nothing as old as it is taken any more.
 */
export class SeenMessages {
  readonly #seen = new Map<string, Millis>();
  #floor = Number.NEGATIVE_INFINITY;

  /** True the first time; false for a replay, and for what is too old to tell. */
  accept(id: string, at: Millis): boolean {
    if (at <= this.#floor || this.#seen.has(id)) return false;
    this.#seen.set(id, at);
    if (this.#seen.size > SEEN_MAX) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    const [oldest] = this.#seen;
    if (oldest === undefined) return;
    this.#seen.delete(oldest[0]);
    this.#floor = Math.max(this.#floor, oldest[1]);
  }
}
