import type { Millis, Random } from "../base/clock.ts";
import { RETRY_BACKOFF, RETRY_BACKOFF_MAX } from "../protocol/constants.ts";

/**
 * When a task that failed `tries` times is offered again: exponential backoff with equal jitter, so that tasks which
 * failed together do not return together, and none returns at once.
 */
export function retryAt(tries: number, now: Millis, random: Random): Millis {
  const pause = Math.min(RETRY_BACKOFF_MAX, RETRY_BACKOFF * 2 ** Math.max(0, tries - 1));
  return now + Math.ceil(pause * (0.5 + random() / 2));
}
