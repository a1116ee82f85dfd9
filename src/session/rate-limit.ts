import { SECOND, type Millis } from "../base/clock.ts";
import { MESSAGES_BURST, MESSAGES_PER_SECOND } from "../protocol/constants.ts";

/** How many messages a peer may send now: a token bucket. */
export interface TokenBucket {
  readonly tokens: number;
  readonly at: Millis;
}

export const fullBucket = (now: Millis): TokenBucket => ({ tokens: MESSAGES_BURST, at: now });

/** The bucket after one more message; null when it was empty. */
export function takeToken({ tokens, at }: TokenBucket, now: Millis): TokenBucket | null {
  const earned = (Math.max(0, now - at) / SECOND) * MESSAGES_PER_SECOND;
  const left = Math.min(MESSAGES_BURST, tokens + earned) - 1;
  return left < 0 ? null : { tokens: left, at: now };
}
