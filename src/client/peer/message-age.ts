import { SECOND, type Millis } from "../../base/clock.ts";

/** How long one bucket of observations counts, and then as long again. */
const BUCKET_MS: Millis = 60 * SECOND;

/**
 * Estimates how long a message was on its way, also if the mesh's clock and this machine's differ: the least difference
 * between arrival and timestamp of the last minutes in which any came is that of a message that was hardly delayed (as the minimum filter
 * of NTP, RFC 5905 section 10). A process that was stopped, or a connection that stalled, receives old messages at once.
 */
export class MessageAge {
  readonly #monotonic: () => Millis;
  #current = Infinity;
  #previous = Infinity;
  #bucketUntil = -Infinity;

  /** @param monotonic a clock that is never set */
  constructor(monotonic: () => Millis) {
    this.#monotonic = monotonic;
  }

  /** Notes a message that has just arrived, by its timestamp (RFC 3339). Returns how long it was delayed, about. */
  arrived(timestamp: string): Millis {
    const now = this.#monotonic();
    const difference = now - Date.parse(timestamp);
    if (!Number.isFinite(difference)) return 0;
    if (now >= this.#bucketUntil) {
      // However long nothing came: what was known before a stall is what tells that it was one.
      this.#previous = this.#current;
      this.#current = Infinity;
      this.#bucketUntil = now + BUCKET_MS;
    }
    const least = Math.min(this.#current, this.#previous, difference);
    this.#current = Math.min(this.#current, difference);
    return difference - least;
  }
}
