import type { Millis } from "../../base/clock.ts";

const NANOS_PER_MILLI = 1_000_000;

/**
 * Envelope timestamps of one connection: RFC 3339 with nanoseconds, strictly increasing, also within one millisecond and
 * when the clock is set back. The mesh drops messages that are older than its session floor.
 */
export function risingTimestamps(now: () => Millis): () => string {
  let last = Number.NEGATIVE_INFINITY;
  let nanos = 0;
  return () => {
    const at = Math.floor(now());
    if (at > last) {
      last = at;
      nanos = 0;
    } else if (++nanos === NANOS_PER_MILLI) {
      last++;
      nanos = 0;
    }
    return new Date(last).toISOString().replace("Z", `${String(nanos).padStart(6, "0")}Z`);
  };
}
