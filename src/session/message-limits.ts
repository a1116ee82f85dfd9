import { MINUTE, SECOND } from "../base/clock.ts";
import { takeToken, type TokenBucket, type TokenRate } from "../base/token-bucket.ts";
import { ADVERT_INTERVAL, RTT_REPORT_INTERVAL } from "../protocol/constants.ts";
import type { MessageType } from "../protocol/messages.ts";
import { errorReply } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Handler } from "./handlers/handler.ts";
import type { Active } from "./state.ts";
import { strike } from "./strikes.ts";

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

/** Limits a message type. A message above the limit is refused without reaching its handler; too many of them are strikes. */
export const limited =
  <T extends LimitedType>(type: T, handle: Handler<T>): Handler<T> =>
  (session, message, context) => {
    const { now } = context;
    const after = spend(session, type, MESSAGE_LIMITS[type], now);
    if (after !== null) return handle(after, message, context);
    const fault = tooMany(type);
    const excess = spend(session, "excess", EXCESS, now);
    return excess === null
      ? strike(session, fault, context, message.id)
      : stay(excess, errorReply(context, excess, fault, message.id));
  };

/** The session after one more message of a bucket; null when none was left. */
function spend(
  session: Active,
  name: LimitedType | "excess",
  rate: TokenRate,
  now: number,
): Active | null {
  const before = session.buckets?.[name] ?? { tokens: rate.max, at: now };
  const bucket = takeToken(before, rate, now);
  return bucket === null ? null : { ...session, buckets: { ...session.buckets, [name]: bucket } };
}

function tooMany(type: LimitedType) {
  const { tokens, per, max } = MESSAGE_LIMITS[type];
  const seconds = per / SECOND / tokens;
  const detail = `too many ${type} messages: send at most one every ${seconds} s, ${max} at once`;
  return { code: "rate_limited", detail, retryAfter: Math.ceil(seconds) } as const;
}
