import type { Millis } from "../base/clock.ts";
import { PING_INTERVAL, PINGS_UNANSWERED_MAX, PONG_TIMEOUT } from "../protocol/constants.ts";
import type { Intent, Move } from "./effects.ts";
import { end, ping, stay, type SessionContext } from "./outgoing.ts";
import type { Active, Session } from "./state.ts";

/** When the session wants to be woken next; null when nothing is due (the handshake's deadline is a timer). */
export function dueAt(session: Session): Millis | null {
  if (session.state !== "active") return null;
  return session.ping === null
    ? session.pingedAt + PING_INTERVAL
    : session.ping.sentAt + PONG_TIMEOUT;
}

/** Pings when a ping is due; an unanswered one makes the peer suspect, and a second one ends its session. */
export function checkLiveness(session: Active, context: SessionContext): Move {
  const due = dueAt(session);
  if (due === null || context.now < due) return stay(session);
  if (session.ping === null) return pingAgain(session, context);
  const missed = session.missed + 1;
  if (missed >= PINGS_UNANSWERED_MAX) {
    return end(session, { code: "ping_timeout", detail: `${missed} pings went unanswered` });
  }
  return pingAgain({ ...session, missed }, context, missedAnswer(session));
}

function pingAgain(session: Active, context: SessionContext, ...before: readonly Intent[]): Move {
  const sent = ping(context, session);
  return stay({ ...session, ping: sent.ping, pingedAt: context.now }, ...before, sent.intent);
}

const missedAnswer = ({ claim, epoch }: Active): Intent => ({
  type: "tell",
  messageId: null,
  note: {
    name: "observe",
    input: { peerId: claim.peerId, epoch, event: "missed_answer", rttMs: null },
  },
});
