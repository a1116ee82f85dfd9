import { MINUTE, type Millis } from "../base/clock.ts";
import { takeToken, type TokenBucket, type TokenRate } from "../base/token-bucket.ts";
import { CONTENT_EVENTS, MESSAGE_LIMITS, type LimitedType } from "../protocol/message-limits.ts";

/**
 * Messages above their limit that a session may send without a strike: clocks of honest peers differ, and a program may announce
 * more often than it should.
 */
const EXCESS: TokenRate = { tokens: 10, per: MINUTE, max: 20 };

/** The limits of this file by name: of a message type, of content events, and of messages above a limit. */
type LimitName = LimitedType | "content_event" | "excess";

/** What a session has left of each limit. A bucket that is absent is full. */
export type MessageBuckets = Readonly<Partial<Record<LimitName, TokenBucket>>>;

/** The buckets after one more message of a type, or one more above a limit (`excess`); null when none was left. */
export function spendMessage(
  buckets: MessageBuckets,
  name: LimitName,
  now: Millis,
): MessageBuckets | null {
  const rate = rateOf(name);
  const bucket = takeToken(buckets[name] ?? { tokens: rate.max, at: now }, rate, now);
  return bucket === null ? null : { ...buckets, [name]: bucket };
}

function rateOf(name: LimitName): TokenRate {
  if (name === "excess") return EXCESS;
  return name === "content_event" ? CONTENT_EVENTS : MESSAGE_LIMITS[name];
}
