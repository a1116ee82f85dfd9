import { CONTENT_EVENTS } from "../protocol/message-limits.ts";
import type { Move } from "./effects.ts";
import type { SessionContext } from "./context.ts";
import { end } from "./end.ts";
import { spendMessage } from "./message-limits.ts";
import { stay } from "./moves.ts";
import type { Active } from "./state.ts";

/**
 * What a go-p2p node publishes to every peer that it is connected to. A mesh takes no part in it: the event is ignored. Its rate is that
 * of the node's program, so it neither spends the allowance of the node's other messages nor takes the place of their IDs; because its
 * own is not remembered, it may be repeated and does not show that the peer is alive.
 */
export function ignoreContentEvent(session: Active, { now }: SessionContext): Move {
  const buckets = spendMessage(session.buckets ?? {}, "content_event", now);
  if (buckets !== null) return stay({ ...session, buckets });
  const detail = `more than ${CONTENT_EVENTS.tokens} content events a second`;
  return end(session, { code: "rate_limited", detail });
}
