import { SECOND } from "../../base/clock.ts";
import { MESSAGE_LIMITS, type LimitedType } from "../../protocol/message-limits.ts";
import { spendMessage } from "../message-limits.ts";
import { errorReply } from "../messages.ts";
import { stay } from "../moves.ts";
import { strike } from "../strikes.ts";
import type { Handler } from "./handler.ts";

/** Limits a message type. A message above the limit is refused without reaching its handler; too many of them are strikes. */
export const limited =
  <T extends LimitedType>(type: T, handle: Handler<T>): Handler<T> =>
  (session, message, context) => {
    const { now } = context;
    const before = session.buckets ?? {};
    const buckets = spendMessage(before, type, now);
    if (buckets !== null) return handle({ ...session, buckets }, message, context);
    const fault = tooMany(type);
    const excess = spendMessage(before, "excess", now);
    return excess === null
      ? strike(session, fault, context, message.id)
      : stay({ ...session, buckets: excess }, errorReply(context, session, fault, message.id));
  };

function tooMany(type: LimitedType) {
  const { tokens, per, max } = MESSAGE_LIMITS[type];
  const seconds = per / SECOND / tokens;
  const detail = `too many ${type} messages: send at most one every ${seconds} s, ${max} at once`;
  return { code: "rate_limited", detail, retryAfter: Math.ceil(seconds) } as const;
}
