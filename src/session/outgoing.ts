import { toRfc3339, type Millis } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { SessionCommand } from "../contract/commands.ts";
import type { Envelope } from "../protocol/envelope.ts";
import { toClose, toGoP2pError, type MusterError } from "../protocol/errors.ts";
import { newUuid } from "../protocol/ids.ts";
import type { MessageType, PayloadInput } from "../protocol/messages.ts";
import type { SessionContext } from "./context.ts";
import type { Intent, Move } from "./effects.ts";
import type { OutstandingPing } from "../peers/liveness.ts";
import type { Claim, Session } from "./state.ts";

export function compose<T extends MessageType>(
  { mesh, now, randomBytes }: SessionContext,
  to: string,
  type: T,
  payload: PayloadInput<T>,
  replyTo?: string,
): Envelope {
  return {
    id: newUuid(randomBytes),
    type,
    from: mesh.keys.id,
    to,
    ts: toRfc3339(now),
    payload: payload as Json,
    ...(replyTo !== undefined && { replyTo }),
  };
}

interface Recipient {
  readonly claim: Pick<Claim, "peerId">;
}

/** One message to the peer. */
export const message = <T extends MessageType>(
  context: SessionContext,
  to: Recipient,
  type: T,
  payload: PayloadInput<T>,
  replyTo?: string,
): Intent => ({
  type: "message",
  envelope: compose(context, to.claim.peerId, type, payload, replyTo),
});

/** A ping, and what to remember of it; `dueAt` is when its answer is missed, null when nobody waits for it. */
export function ping(
  context: SessionContext,
  to: Recipient,
  dueAt: Millis | null,
  graceGranted = false,
): { readonly ping: OutstandingPing; readonly intent: Intent } {
  const envelope = compose(context, to.claim.peerId, "ping", { sentAt: context.now });
  return {
    ping: { id: envelope.id, sentAt: context.now, dueAt, graceGranted },
    intent: { type: "message", envelope },
  };
}

/** Answers one message with what was wrong with it. */
export const errorReply = (
  context: SessionContext,
  to: Recipient,
  error: MusterError,
  replyTo: string,
): Intent => message(context, to, "error", toGoP2pError(error), replyTo);

/** What is known of the peer; null before it has said anything. */
export const claimOf = (session: Session): Claim | null =>
  "claim" in session ? session.claim : null;

/** Ends the session for a fault. */
export function end(session: Session, fault: MusterError, ...before: readonly Intent[]): Move {
  const silent = fault.code === "ping_timeout";
  const why = session.state === "active" ? fault.detail : `${fault.code}: ${fault.detail}`;
  return {
    session: { state: "closed", claim: claimOf(session) },
    intents: [
      ...before,
      { type: "close", ...toClose(fault) },
      ...disconnectCommands(session, why, silent),
    ],
  };
}

/**
 * The commands by which the coordinator learns that a session ended: `gone` for an active session, `dial_failed` for one that
 * the mesh dialed and that did not become active. `silent`: the connection was lost without a close by either side.
 */
export function disconnectCommands(
  session: Session,
  reason: string,
  silent: boolean,
): readonly Intent[] {
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

/** Sends a command to the coordinator. `messageId`: the peer's message that caused it, which the answer replies to. */
export const command = (sent: SessionCommand, messageId: string | null = null): Intent => ({
  type: "command",
  command: sent,
  messageId,
});

export const stay = (session: Session, ...intents: readonly Intent[]): Move => ({
  session,
  intents,
});
