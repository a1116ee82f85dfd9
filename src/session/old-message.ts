import { SECOND, type Millis } from "../base/clock.ts";
import { CLOCK_CHECK_INTERVAL, PONG_TIMEOUT } from "../protocol/constants.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { Move } from "./effects.ts";
import { sendPing } from "./liveness.ts";
import type { SessionContext } from "./context.ts";
import { stay } from "./moves.ts";
import type { Active } from "./state.ts";

/**
 * What a message shows that is stamped before the session's floor. Anybody can repeat a frame of an earlier session, but only the peer
 * can answer a ping of this one, whose ID is random and was sent sealed.
 */
export type OldMessage =
  /** It may be repeated. It is dropped. */
  | { readonly shows: "nothing" }
  /** It answers the session's ping, and only messages that came after the ping have raised the floor above it: it is fresh. */
  | { readonly shows: "overtaken" }
  /** It answers a ping that was sent after messages with later times had arrived: the peer's clock was set back. */
  | { readonly shows: "clock_stepped_back"; readonly byMs: Millis };

export function judgeOldMessage(
  { liveness, channel }: Active,
  { type, replyTo, ts }: Envelope,
  now: Millis,
): OldMessage {
  const { ping, heardAt } = liveness;
  if (channel.protocol !== "go-p2p/1.0" || type !== "pong") return { shows: "nothing" };
  if (ping === null || ping.floor === undefined || replyTo !== ping.id) return { shows: "nothing" };
  const stamped = Date.parse(ts);
  if (stamped >= ping.floor) return { shows: "overtaken" };
  // What the peer's clock would show now: the time in its newest message, and what has passed since.
  const { times, floor } = channel.window;
  const expected = (times.at(-1) ?? floor) + (now - heardAt);
  return { shows: "clock_stepped_back", byMs: expected - stamped };
}

/** The fault of a peer whose clock was set back: the session drops everything that it sends. */
export const clockSteppedBack = (byMs: Millis): SessionFault => ({
  code: "clock_stepped_back",
  detail: `the peer's clock stepped back by ${(byMs / SECOND).toFixed(1)} s during the session; reconnect`,
});

/**
 * Drops a message that may be repeated. If it is not, the peer's clock was set back, and every message of the peer is dropped from now
 * on: pings the peer, unless a ping is on its way or was just answered, to find that out.
 */
export function dropOldMessage(session: Active, context: SessionContext): Move {
  const { ping, pingedAt } = session.liveness;
  return ping !== null || context.now - pingedAt < CLOCK_CHECK_INTERVAL
    ? stay(session)
    : sendPing(session, context, context.now + PONG_TIMEOUT);
}
