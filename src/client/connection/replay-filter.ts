import type { Millis } from "../../base/clock.ts";
import { REPLAY_FILTER_IDS_MAX } from "../timings.ts";

/**
 * Drops replayed messages by their IDs. Once it has to forget the oldest ID, it also drops every message that is as old
 * as the forgotten one or older.
 */
export class ReplayFilter {
  readonly #sentAt = new Map<string, Millis>();
  #floor = Number.NEGATIVE_INFINITY;

  /** True for a new message; false for a replay, and for a message that is too old to tell. */
  accept(id: string, sentAt: Millis): boolean {
    if (sentAt <= this.#floor || this.#sentAt.has(id)) return false;
    this.#sentAt.set(id, sentAt);
    if (this.#sentAt.size > REPLAY_FILTER_IDS_MAX) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    const [oldest] = this.#sentAt;
    if (oldest === undefined) return;
    const [id, sentAt] = oldest;
    this.#sentAt.delete(id);
    this.#floor = Math.max(this.#floor, sentAt);
  }
}
