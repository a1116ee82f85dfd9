import { CLOSE, toClose, type MusterError } from "../protocol/errors.ts";
import { RECONNECT_POSITION_MAX } from "../protocol/constants.ts";
import type { Reconnect } from "../protocol/messages.ts";
import type { SessionContext } from "./context.ts";
import type { Intent, Move } from "./effects.ts";
import { message } from "./messages.ts";
import { command, stay } from "./moves.ts";
import type { Claim, Session } from "./state.ts";

/** Ends the session for a fault: closes the socket and informs the coordinator. `before` is sent first. */
export function end(session: Session, fault: MusterError, ...before: readonly Intent[]): Move {
  const silent = fault.code === "ping_timeout";
  const reason = session.state === "active" ? fault.detail : `${fault.code}: ${fault.detail}`;
  return stay(
    closed(session),
    ...before,
    { type: "close", ...toClose(fault), fault: fault.code },
    ...disconnectCommands(session, reason, silent),
  );
}

/** Ends the session for a fault; an active peer first receives a `disconnect` with the reason. */
export function endWithDisconnect(
  session: Session,
  fault: MusterError,
  context: SessionContext,
): Move {
  if (session.state !== "active") return end(session, fault);
  const disconnect = message(context, session, "disconnect", {
    reason: fault.detail,
    code: DISCONNECT_GOING_AWAY,
    ...(mayReconnect(fault) && { reconnect: positionAfter(session.reconnect, fault) }),
  });
  return end(session, fault, disconnect);
}

/** The socket was closed, by the peer or by a broken connection. */
export const endAfterClose = (session: Session, reason: string, silent: boolean): Move =>
  session.state === "closed"
    ? stay(session)
    : stay(closed(session), ...disconnectCommands(session, reason, silent));

/** The peer said that it disconnects. */
export const endByPeer = (session: Session, reason: string): Move =>
  stay(
    closed(session),
    { type: "close", code: CLOSE.normal, reason: "goodbye" },
    ...disconnectCommands(session, reason, false),
  );

/** go-p2p's disconnect code for "server or peer going away". */
const DISCONNECT_GOING_AWAY = 1001;

/** The peer's position, moved back by the time after which it may return. */
const positionAfter = (
  { slot, per_second }: Reconnect,
  { retryAfter = 0 }: MusterError,
): Reconnect => ({
  slot: Math.min(RECONNECT_POSITION_MAX, slot + Math.ceil(retryAfter * per_second)),
  per_second,
});

/** Whether the peer may come back: after 4403 (not allowed, revoked) and 4409 (superseded) it must not. */
const mayReconnect = (fault: MusterError): boolean => {
  const { code } = toClose(fault);
  return code !== CLOSE.denied && code !== CLOSE.superseded;
};

const closed = (session: Session): Session => ({ state: "closed", claim: claimOf(session) });

/** What the peer said of itself; null before it has said anything. */
const claimOf = (session: Session): Claim | null => ("claim" in session ? session.claim : null);

/**
 * The commands by which the coordinator learns that a session ended: `gone` for an active session, `dial_failed` for one that
 * the mesh dialed and that did not become active. `silent`: the connection was lost without a close by either side.
 */
function disconnectCommands(session: Session, reason: string, silent: boolean): readonly Intent[] {
  if (session.state === "closed") return [];
  if (session.state === "active") {
    const { claim, epoch } = session;
    return [command({ name: "gone", input: { peerId: claim.peerId, epoch, reason, silent } })];
  }
  const { dial } = session.origin;
  if (dial === undefined) return [];
  const proved =
    session.state === "admitting"
      ? { publicKey: session.claim.publicKey, peerId: session.claim.peerId }
      : null;
  return [command({ name: "dial_failed", input: { dial, error: reason, proved } })];
}
