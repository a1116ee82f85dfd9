import { MINUTE, type Millis } from "../clock.ts";
import { refilled, takeToken, type TokenBucket, type TokenRate } from "../token-bucket.ts";
import { LINES_PER_MINUTE, LOG_EVENTS, type LogEvent, type LogEventType } from "./log-events.ts";

interface EventCount {
  bucket: TokenBucket;
  leftOut: number;
  /** When the first of those was left out. */
  since: Millis;
}

/** Lines that were left out, of one event. */
export interface LeftOut {
  readonly of: LogEvent;
  readonly count: number;
}

/** How long what was left out is counted before a line of another event tells it. */
const TELL_AFTER: Millis = MINUTE;

/**
 * Bounds the lines of each event, so that nobody fills a disk by what makes the mesh log. What is left out is counted, and told with the
 * next line of the same event, or a minute later with the next line of any. Memory: one small object for each event of the table.
 */
export class LineLimit {
  readonly #counts = new Map<LogEvent, EventCount>();

  /** Whether a line of this event may be written. */
  admits(event: LogEvent, now: Millis): boolean {
    const rate = rateOf(event);
    const count = this.#counts.get(event) ?? {
      bucket: { tokens: rate.max, at: now },
      leftOut: 0,
      since: now,
    };
    this.#counts.set(event, count);
    // Also of a line that is left out: after a clock was set back, tokens are earned from then on.
    count.bucket = refilled(count.bucket, rate, now);
    const bucket = takeToken(count.bucket, rate, now);
    if (bucket === null) {
      if (count.leftOut === 0) count.since = now;
      count.leftOut++;
      return false;
    }
    count.bucket = bucket;
    return true;
  }

  /** What was left out of this event, and of others for a while. Each is told once. */
  takeLeftOut(event: LogEvent | null, now: Millis): readonly LeftOut[] {
    const taken: LeftOut[] = [];
    for (const [of, count] of this.#counts) {
      // A clock that was set back must not hide it for long.
      const isOld = now - count.since >= TELL_AFTER || now < count.since;
      if (count.leftOut === 0 || !(of === event || isOld)) continue;
      taken.push({ of, count: count.leftOut });
      count.leftOut = 0;
    }
    return taken;
  }
}

function rateOf(event: LogEvent): TokenRate {
  const type: LogEventType = LOG_EVENTS[event];
  const tokens = type.perMinute ?? LINES_PER_MINUTE;
  return { tokens, per: MINUTE, max: tokens };
}
