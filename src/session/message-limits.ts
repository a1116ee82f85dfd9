import { MINUTE, type Millis } from "../base/clock.ts";
import { takeToken, type TokenBucket, type TokenRate } from "../base/token-bucket.ts";
import { MESSAGE_LIMITS, type LimitedType } from "../protocol/message-limits.ts";

/**
 * Messages above their limit that a session may send without a strike: clocks of honest peers differ, and a program may announce
 * more often than it should.
 */
const EXCESS: TokenRate = { tokens: 10, per: MINUTE, max: 20 };

/** What a session has left of each limit. A bucket that is absent is full. */
export type MessageBuckets = Readonly<Partial<Record<LimitedType | "excess", TokenBucket>>>;

/** The buckets after one more message of a type, or one more above a limit (`excess`); null when none was left. */
export function spendMessage(
  buckets: MessageBuckets,
  name: LimitedType | "excess",
  now: Millis,
): MessageBuckets | null {
  const rate = name === "excess" ? EXCESS : MESSAGE_LIMITS[name];
  const bucket = takeToken(buckets[name] ?? { tokens: rate.max, at: now }, rate, now);
  return bucket === null ? null : { ...buckets, [name]: bucket };
}
