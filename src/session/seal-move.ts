import { sealInto, type Channel } from "./channel.ts";
import type { Move, SessionEffect, Step } from "./effects.ts";
import type { SessionContext } from "./context.ts";
import type { Session } from "./state.ts";

/**
 * Turns a move into a step: encrypts its messages in their order, and advances the counters of the session. The caller saves
 * the session before it sends the frames, so that no counter is ever used twice.
 */
export function sealMove(
  before: Session,
  { session, intents }: Move,
  context: SessionContext,
): Step {
  let channel = channelOf(session) ?? channelOf(before);
  const effects: SessionEffect[] = [];
  for (const intent of intents) {
    if (intent.type !== "message") {
      effects.push(intent);
    } else if (channel !== null) {
      const { frame, channel: next } = sealInto(channel, intent, context);
      channel = next;
      if (frame !== null) effects.push({ type: "send", frame });
    }
  }
  return { session: withChannel(session, channel), effects };
}

const channelOf = (session: Session): Channel | null =>
  "channel" in session ? session.channel : null;

const withChannel = (session: Session, channel: Channel | null): Session =>
  "channel" in session && channel !== null && channel !== session.channel
    ? { ...session, channel }
    : session;
