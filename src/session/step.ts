import { MESSAGES_PER_SECOND } from "../protocol/constants.ts";
import type { Bytes } from "../base/bytes.ts";
import { receive } from "./active.ts";
import { spend } from "./allowance.ts";
import { greetFirst, takeAck } from "./calling.ts";
import { call } from "./calls.ts";
import type { Move, SessionEvent, Step } from "./effects.ts";
import { finish } from "./finish.ts";
import { oversized } from "./frame-size.ts";
import { greet } from "./greeting.ts";
import { checkLiveness, withHeartbeat, probe, withLease, withLiveness } from "./liveness.ts";
import { cancelOffer, deliver } from "./offers.ts";
import {
  claimOf,
  end,
  errorReply,
  disconnectCommands,
  message,
  stay,
  type SessionContext,
} from "./outgoing.ts";
import { admitted, prove } from "./proving.ts";
import type { Active, Session } from "./state.ts";

/**
 * A session's whole behaviour: what an event makes of it, and what is to be done. Pure; the Durable Object keeps the
 * session in the socket's attachment between steps and performs the effects.
 */
export const step = (session: Session, event: SessionEvent, context: SessionContext): Step =>
  finish(session, move(session, event, context), context);

function move(session: Session, event: SessionEvent, context: SessionContext): Move {
  switch (event.type) {
    case "opened":
      return session.state === "calling" ? greetFirst(session, context) : stay(session);
    case "frame":
      return takeFrame(session, event.data, context);
    case "handshake_timeout":
      return timeOut(session);
    case "admitted":
      if (session.state === "admitting") return admitted(session, event.result, context);
      return takeBack(session, event);
    case "refused":
      return session.state === "active" ? refused(session, event, context) : stay(session);
    case "judged":
      return session.state === "active"
        ? stay(withLiveness(session, { suspect: event.suspect }))
        : stay(session);
    case "leased":
      return session.state === "active" ? stay(withLease(session, event.until)) : stay(session);
    case "probe":
      return session.state === "active"
        ? probe(withHeartbeat(session, context), context)
        : stay(session);
    case "sampled": {
      if (session.state !== "active") return stay(session);
      const { messageId, pointers } = event;
      return stay(
        session,
        message(context, session, "sample", { pointers: [...pointers] }, messageId),
      );
    }
    case "shown": {
      if (session.state !== "active") return stay(session);
      const { messageId, shown } = event;
      return stay(session, message(context, session, "task_shown", shown, messageId ?? undefined));
    }
    case "due":
      return session.state === "active" ? checkLiveness(session, context) : stay(session);
    case "offer":
      return session.state === "active"
        ? deliver(withHeartbeat(session, context), event.offer, context)
        : stay(session);
    case "call":
      return session.state === "active" ? call(session, event, context) : stay(session);
    case "cancel":
      return session.state === "active"
        ? cancelOffer(session, event.taskId, event.fence, event.reason, context)
        : stay(session);
    case "end": {
      const goodbye =
        session.state === "active"
          ? [
              message(context, session, "disconnect", {
                reason: event.fault.detail,
                code: DISCONNECT_GOING_AWAY,
                reconnect: session.reconnect,
              }),
            ]
          : [];
      return end(session, event.fault, ...goodbye);
    }
    case "closed": {
      if (session.state === "closed") return stay(session);
      return stay(
        { state: "closed", claim: claimOf(session) },
        ...disconnectCommands(session, event.reason, event.silent),
      );
    }
    default:
      return event satisfies never;
  }
}

/** The peer hears why. Who speaks of an attempt that it has lost shall stop working on it, too. */
function refused(
  session: Active,
  { messageId, error, about }: Extract<SessionEvent, { type: "refused" }>,
  context: SessionContext,
): Move {
  const answer = errorReply(context, session, error, messageId);
  if (error.code !== "lease_lost" || about === null) return stay(session, answer);
  const cancel = { ...about, reason: error.detail };
  return stay(session, answer, message(context, session, "task_cancel", cancel));
}

/** go-p2p's disconnect code for "server or peer going away". */
const DISCONNECT_GOING_AWAY = 1001;

function takeFrame(session: Session, data: string | Bytes, context: SessionContext): Move {
  if (session.state === "closed") return stay(session);
  const fault = oversized(session, data.length);
  if (fault !== null) return end(session, fault);
  switch (session.state) {
    case "greeting":
      return greet(session, data, context);
    case "calling":
      return takeAck(session, data, context);
    case "proving":
      return prove(session, data, context);
    case "noise":
      // `takeNoise` takes these: it must wait for WebCrypto.
      return stay(session);
    case "admitting":
      // Frames of one socket are taken one after another, so none can come while the coordinator is asked.
      return stay(session);
    case "active": {
      const allowance = spend(session.allowance, context.now);
      if (allowance === null) return end(session, RATE_LIMITED);
      return receive({ ...session, allowance }, data, context);
    }
    default:
      return session satisfies never;
  }
}

const RATE_LIMITED = {
  code: "rate_limited",
  detail: `more than ${MESSAGES_PER_SECOND} messages a second; come back in a second, and slower`,
} as const;

/** Who never answers the ping never proved its key: a bare go-p2p controller is one that can't. */
function timeOut(session: Session): Move {
  if (session.state === "greeting" || session.state === "noise")
    return end(session, { code: "handshake_timeout", detail: "no handshake within 10 s" });
  if (session.state === "calling")
    return end(session, {
      code: "handshake_timeout",
      detail: "no answer to the handshake in 10 s",
    });
  if (session.state === "proving") {
    return end(session, {
      code: "proof_failed",
      detail: "the ping that proves the key was not answered within 10 s",
    });
  }
  return stay(session);
}

/** The socket closed while the coordinator was asked: what it granted is given back. */
function takeBack(session: Session, { result }: Extract<SessionEvent, { type: "admitted" }>): Move {
  if (!result.ok || session.state !== "closed" || session.claim === null) return stay(session);
  const input = {
    peerId: session.claim.peerId,
    epoch: result.value.epoch,
    reason: "the connection closed",
    silent: false,
  };
  return stay(session, { type: "tell", messageId: null, note: { name: "gone", input } });
}
