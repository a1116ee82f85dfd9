import { CLOSE, toClose, type MusterError } from "../protocol/errors.ts";
import type { SessionContext } from "./context.ts";
import type { Move } from "./effects.ts";
import { end, message } from "./outgoing.ts";
import type { Session } from "./state.ts";

/** go-p2p's disconnect code for "server or peer going away". */
const DISCONNECT_GOING_AWAY = 1001;

/** Ends the session for a fault; an active peer first receives a `disconnect` with the reason. */
export function endWithDisconnect(
  session: Session,
  fault: MusterError,
  context: SessionContext,
): Move {
  if (session.state !== "active") return end(session, fault);
  const { reconnect } = session;
  const disconnect = message(context, session, "disconnect", {
    reason: fault.detail,
    code: DISCONNECT_GOING_AWAY,
    ...(mayReconnect(fault) && { reconnect }),
  });
  return end(session, fault, disconnect);
}

/** Whether the peer may come back: after 4403 (not allowed, revoked) and 4409 (superseded) it must not. */
const mayReconnect = (fault: MusterError): boolean => {
  const { code } = toClose(fault);
  return code !== CLOSE.denied && code !== CLOSE.superseded;
};
