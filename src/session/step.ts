import type { Bytes } from "../base/bytes.ts";
import { receiveMessage } from "./receive-message.ts";
import { receiveAnswer } from "./answers.ts";
import { sendHandshake, receiveAck } from "./outbound-handshake.ts";
import { sendRequest } from "./relayed-requests.ts";
import type { SessionContext } from "./context.ts";
import type { Move, SessionEvent, Step } from "./effects.ts";
import { sealMove } from "./seal-move.ts";
import { frameSizeFault } from "./frame-size.ts";
import { receiveHandshake } from "./inbound-handshake.ts";
import { checkLiveness, probe, withHeartbeat } from "./liveness.ts";
import { askBack, cancelOffer, deliverOffer } from "./offers.ts";
import { end, endAfterClose, endWithDisconnect } from "./end.ts";
import { orderDrain } from "./drain.ts";
import { answerPing } from "./handlers/ping.ts";
import { showTask } from "./messages.ts";
import { stay } from "./moves.ts";
import { receiveProof } from "./key-proof.ts";
import type { Active, Session } from "./state.ts";

/**
 * A session's whole behavior: the state that an event leads to, and the effects. Pure: the Durable Object keeps the session
 * in the socket's attachment between steps and performs the effects. The one exception is a frame in state `noise`, whose
 * cryptography is asynchronous (`receiveNoise`).
 */
export const step = (session: Session, event: SessionEvent, context: SessionContext): Step =>
  sealMove(session, move(session, event, context), context);

function move(session: Session, event: SessionEvent, context: SessionContext): Move {
  switch (event.type) {
    case "opened":
      return session.state === "dialing" ? sendHandshake(session, context) : stay(session);
    case "frame":
      return receiveFrame(session, event.data, context);
    case "handshake_timeout":
      return timeOut(session);
    case "answered":
      return receiveAnswer(session, event.answer, event.messageId, context);
    case "end":
      return endWithDisconnect(session, event.fault, context);
    case "closed":
      return endAfterClose(session, event.reason, event.silent);
    case "all_answered":
    case "due":
    case "probe":
    case "offer":
    case "call":
    case "cancel":
    case "recall":
    case "drain":
    case "report":
      return session.state === "active" ? moveActive(session, event, context) : stay(session);
    default:
      return event satisfies never;
  }
}

/** Events that only concern a session whose peer was admitted. */
type ActiveEvent = Extract<
  SessionEvent,
  {
    type:
      | "all_answered"
      | "due"
      | "probe"
      | "offer"
      | "call"
      | "cancel"
      | "recall"
      | "drain"
      | "report";
  }
>;

function moveActive(session: Active, event: ActiveEvent, context: SessionContext): Move {
  switch (event.type) {
    case "all_answered":
      return answerPing(session, event, context);
    case "due":
      return checkLiveness(session, context);
    case "probe":
      return probe(withHeartbeat(session, context), context);
    case "offer":
      return deliverOffer(withHeartbeat(session, context), event.offer, context);
    case "call":
      return sendRequest(session, event, context);
    case "cancel":
      return cancelOffer(session, event.taskId, event.fence, event.reason, context);
    case "recall":
      return askBack(session, event, context);
    case "drain":
      return orderDrain(session, event.order, context);
    case "report":
      return stay(session, showTask(context, session, event.shown));
    default:
      return event satisfies never;
  }
}

function receiveFrame(session: Session, data: string | Bytes, context: SessionContext): Move {
  if (session.state === "closed") return stay(session);
  const fault = frameSizeFault(session, data.length);
  if (fault !== null) return end(session, fault);
  switch (session.state) {
    case "greeting":
      return receiveHandshake(session, data, context);
    case "dialing":
      return receiveAck(session, data, context);
    case "proving":
      return receiveProof(session, data, context);
    case "noise":
      // Handled by `receiveNoise`, because WebCrypto is asynchronous.
      return stay(session);
    case "admitting":
      // Frames of one socket are stepped in order, after the answer to the admission.
      return stay(session);
    case "active":
      return receiveMessage(session, data, context);
    default:
      return session satisfies never;
  }
}

/** A peer that does not answer the ping has not proved its key; a plain go-p2p controller can't answer it. */
function timeOut(session: Session): Move {
  switch (session.state) {
    case "greeting":
    case "noise":
      return end(session, { code: "handshake_timeout", detail: "no handshake within 10 s" });
    case "dialing":
      return end(session, {
        code: "handshake_timeout",
        detail: "no answer to the handshake within 10 s",
      });
    case "proving":
      return end(session, {
        code: "proof_failed",
        detail: "the ping that proves the key was not answered within 10 s",
      });
    case "admitting":
    case "active":
    case "closed":
      return stay(session);
    default:
      return session satisfies never;
  }
}
