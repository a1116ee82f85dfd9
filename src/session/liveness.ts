import type { Millis } from "../base/clock.ts";
import {
  isEarly,
  isFresh,
  checkPeer,
  nextCheckAt,
  withHeartbeat as applyHeartbeat,
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

/** When the session must be woken next; null when nothing is due. (The deadline of a handshake is a timer in memory.) */
export const dueAt = (session: Session): Millis | null =>
  session.state === "active" ? nextCheckAt(session.liveness) : null;

/** The session with the peer's newest heartbeat applied. */
export const withHeartbeat = (session: Active, { heartbeatAt, now }: SessionContext): Active => ({
  ...session,
  liveness: applyHeartbeat(session.liveness, heartbeatAt, now),
});

/** Checks the peer if a check is due: a missed answer makes it suspect, a second one in a row ends its session. */
export function checkLiveness(session: Active, context: SessionContext): Move {
  const due = nextCheckAt(session.liveness);
  if (isEarly(session.liveness, due, context.now)) return stay(session);
  const seen = withHeartbeat(session, context);
  const verdict = checkPeer(seen.liveness, due, context.now);
  switch (verdict.result) {
    case "early":
      return stay(session);
    case "alive":
      return sendPing(withKnownHeartbeats(seen, { missed: 0 }), context, null);
    case "restored":
      return reportObservation(
        withKnownHeartbeats(seen, { missed: 0, ping: null }),
        "answered",
        context,
      );
    case "unknown": {
      // A peer that has sent no heartbeat by the first check sends none.
      const known = withKnownHeartbeats(seen, {});
      return sendPing(known, context, verdict.answerBy, verdict.graceGranted);
    }
    case "grace_granted": {
      const { ping: outstanding } = seen.liveness;
      if (outstanding === null) return stay(seen);
      const granted = { ...outstanding, dueAt: verdict.answerBy, graceGranted: true };
      return stay(withLiveness(seen, { ping: granted }));
    }
    case "missed": {
      const missed = withLiveness(seen, { missed: seen.liveness.missed + 1, suspect: true });
      return andThen(reportObservation(missed, "missed_answer", context), (next) =>
        sendPing(next, context, verdict.answerBy),
      );
    }
    case "lost":
      return end(seen, {
        code: "ping_timeout",
        detail: "nothing was heard from the peer, and it did not answer pings",
      });
    default:
      return verdict satisfies never;
  }
}

/** Suspects the peer now and pings it; if it does not answer, its session ends. */
export function probe(session: Active, context: SessionContext): Move {
  const { missed, ping: outstanding } = session.liveness;
  const suspected = withLiveness(session, { suspect: true, missed: Math.max(1, missed) });
  const isPinged = outstanding !== null && outstanding.dueAt !== null;
  return isPinged ? stay(suspected) : sendPing(suspected, context, context.now + PONG_TIMEOUT);
}

/** Pings for an RTT sample when the last ping is at least `age` old. Costs no wake-up: the object is awake for another reason. */
export function pingForSample(
  session: Active,
  context: SessionContext,
  age: Millis,
): readonly [Active, Intent[]] {
  const { ping: outstanding, pingedAt } = session.liveness;
  if (outstanding !== null || context.now - pingedAt < age) return [session, []];
  const sent = ping(context, session, null);
  return [withLiveness(session, { ping: sent.ping, pingedAt: context.now }), [sent.intent]];
}

export const wasHeardLately = (session: Active, context: SessionContext): boolean =>
  isFresh(session.liveness, context.now);

export const withLiveness = (session: Active, changes: Partial<Liveness>): Active => ({
  ...session,
  liveness: { ...session.liveness, ...changes },
});

/** The peer may hold a lease until then, and is checked often (SPEC LV8). */
export const withLease = (session: Active, until: Millis): Active =>
  withLiveness(session, { leasedUntil: Math.max(session.liveness.leasedUntil, until) });

/** Settles whether the peer sends heartbeats: it does not if none has come by now. */
const withKnownHeartbeats = (session: Active, changes: Partial<Liveness>): Active =>
  withLiveness(session, { heartbeats: session.liveness.heartbeats ?? false, ...changes });

/** Pings the peer. `answerBy`: when the answer counts as missed; null when it need not come. */
export function sendPing(
  session: Active,
  context: SessionContext,
  answerBy: Millis | null,
  graceGranted = false,
): Move {
  const sent = ping(context, session, answerBy, graceGranted);
  const pinged = withLiveness(session, { ping: sent.ping, pingedAt: context.now });
  return stay(pinged, sent.intent);
}

function andThen(first: Move, then: (session: Active) => Move): Move {
  if (first.session.state !== "active") return first;
  const second = then(first.session);
  return { session: second.session, intents: [...first.intents, ...second.intents] };
}
