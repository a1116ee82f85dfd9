import type { Millis } from "../base/clock.ts";
import {
  isEarly,
  isFresh,
  look,
  lookAt,
  withHeartbeat as noteHeartbeat,
  type Liveness,
} from "../peers/liveness.ts";
import { PONG_TIMEOUT } from "../protocol/constants.ts";
import type { Intent, Move } from "./effects.ts";
import { reportObservation } from "./observation.ts";
import type { SessionContext } from "./context.ts";
import { end } from "./end.ts";
import { ping } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Active, Session } from "./state.ts";

/** The due list of a session: when it wants to be woken next; null when nothing is due (a handshake's deadline is a timer). */
export const dueAt = (session: Session): Millis | null =>
  session.state === "active" ? lookAt(session.liveness) : null;

/** The session with the peer's newest beat taken into account. */
export const withHeartbeat = (
  session: Active,
  { heartbeatAt: beatAt, now }: SessionContext,
): Active => ({
  ...session,
  liveness: noteHeartbeat(session.liveness, beatAt, now),
});

/** Looks at the peer if it is time: a miss makes it suspect, and a second one in a row ends its session. */
export function checkLiveness(session: Active, context: SessionContext): Move {
  const due = lookAt(session.liveness);
  if (isEarly(session.liveness, due, context.now)) return stay(session);
  const seen = withHeartbeat(session, context);
  const verdict = look(seen.liveness, due, context.now);
  switch (verdict.is) {
    case "early":
      return stay(session);
    case "alive":
      return ask(knownBeats(seen, { missed: 0 }), context, null);
    case "restored":
      return reportObservation(knownBeats(seen, { missed: 0, ping: null }), "answered", context);
    case "unknown": {
      // Who has not beaten by the first look does not beat.
      const beats = seen.liveness.heartbeats ?? false;
      return ask(
        withLiveness(seen, { heartbeats: beats }),
        context,
        verdict.answerBy,
        verdict.graceGranted,
      );
    }
    case "grace_granted": {
      const { ping: outstanding } = seen.liveness;
      if (outstanding === null) return stay(seen);
      const granted = { ...outstanding, dueAt: verdict.answerBy, graceGranted: true };
      return stay(withLiveness(seen, { ping: granted }));
    }
    case "missed": {
      const missed = withLiveness(seen, { missed: seen.liveness.missed + 1, suspect: true });
      return followedBy(reportObservation(missed, "missed_answer", context), (next) =>
        ask(next, context, verdict.answerBy),
      );
    }
    case "lost":
      return end(seen, {
        code: "ping_timeout",
        detail: "nothing was heard, and pings went unanswered",
      });
    default:
      return verdict satisfies never;
  }
}

/** Doubts the peer now, whatever it was looked at for: it is asked, and a miss ends its session. */
export function probe(session: Active, context: SessionContext): Move {
  const { missed, ping: outstanding } = session.liveness;
  const doubted = withLiveness(session, { suspect: true, missed: Math.max(1, missed) });
  const asked = outstanding !== null && outstanding.dueAt !== null;
  return asked ? stay(doubted) : ask(doubted, context, context.now + PONG_TIMEOUT);
}

/** Pings for an RTT sample when the last ping is old enough: the object is awake for another reason anyway. */
export function pingForSample(
  session: Active,
  context: SessionContext,
  age: Millis,
): readonly [Active, Intent[]] {
  const { ping: outstanding, askedAt } = session.liveness;
  if (outstanding !== null || context.now - askedAt < age) return [session, []];
  const sent = ping(context, session, null);
  return [withLiveness(session, { ping: sent.ping, askedAt: context.now }), [sent.intent]];
}

export const wasHeardLately = (session: Active, context: SessionContext): boolean =>
  isFresh(session.liveness, context.now);

export const withLiveness = (session: Active, changes: Partial<Liveness>): Active => ({
  ...session,
  liveness: { ...session.liveness, ...changes },
});

/** The peer may hold a lease until then: it is looked at often (LV8). */
export const withLease = (session: Active, until: Millis): Active =>
  withLiveness(session, { leasedUntil: Math.max(session.liveness.leasedUntil, until) });

const knownBeats = (session: Active, changes: Partial<Liveness>): Active =>
  withLiveness(session, { heartbeats: session.liveness.heartbeats ?? false, ...changes });

function ask(
  session: Active,
  context: SessionContext,
  answerBy: Millis | null,
  graceGranted = false,
): Move {
  const sent = ping(context, session, answerBy, graceGranted);
  const asked = withLiveness(session, { ping: sent.ping, askedAt: context.now });
  return stay(asked, sent.intent);
}

function followedBy(first: Move, then: (session: Active) => Move): Move {
  if (first.session.state !== "active") return first;
  const second = then(first.session);
  return { session: second.session, intents: [...first.intents, ...second.intents] };
}
