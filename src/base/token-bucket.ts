import type { Millis } from "./clock.ts";

/** How much may be done now, and when that was counted. */
export interface TokenBucket {
  readonly tokens: number;
  readonly at: Millis;
}

/** A bucket earns `tokens` in each period of `per` milliseconds, and holds at most `max`. */
export interface TokenRate {
  readonly tokens: number;
  readonly per: Millis;
  readonly max: number;
}

/** The bucket with what it has earned until now. A clock that goes back earns nothing. */
export function refilled({ tokens, at }: TokenBucket, rate: TokenRate, now: Millis): TokenBucket {
  const earned = (Math.max(0, now - at) / rate.per) * rate.tokens;
  return { tokens: Math.min(rate.max, tokens + earned), at: now };
}

/** The bucket after one token was taken; null when it does not hold one. */
export function takeToken(bucket: TokenBucket, rate: TokenRate, now: Millis): TokenBucket | null {
  const { tokens } = refilled(bucket, rate, now);
  return tokens < 1 ? null : { tokens: tokens - 1, at: now };
}
