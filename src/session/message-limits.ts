import { MINUTE, SECOND, type Millis } from "../base/clock.ts";
import { takeToken, type TokenBucket, type TokenRate } from "../base/token-bucket.ts";
import { ADVERT_INTERVAL, RTT_REPORT_INTERVAL } from "../protocol/constants.ts";
import type { MessageType } from "../protocol/messages.ts";

/**
 * How often one session may send the messages that cost the coordinator a command, perhaps row writes, and that an honest peer
 * sends rarely. The allowance of all messages (`rate-limit.ts`) holds besides.
 */
export const MESSAGE_LIMITS = {
  rotate: { tokens: 1, per: MINUTE, max: 3 },
  advert: { tokens: 1, per: ADVERT_INTERVAL, max: 1 },
  announce: { tokens: 1, per: SECOND, max: 30 },
  rtts: { tokens: 1, per: RTT_REPORT_INTERVAL, max: 6 },
  drain: { tokens: 1, per: 10 * SECOND, max: 5 },
} as const satisfies Partial<Record<MessageType, TokenRate>>;

export type LimitedType = keyof typeof MESSAGE_LIMITS;

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
