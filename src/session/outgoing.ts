import { toRfc3339, type Millis, type RandomBytes } from "../base/clock.ts";
import type { KeyPair } from "../crypto/identity.ts";
import type { Json } from "../base/json.ts";
import type { Envelope } from "../protocol/envelope.ts";
import { toClose, toGoP2pError, type MusterError } from "../protocol/errors.ts";
import { newUuid } from "../protocol/ids.ts";
import type { MessageType, PayloadInput } from "../protocol/messages.ts";
import type { Intent, Move, Note } from "./effects.ts";
import type { OutstandingPing } from "../peers/liveness.ts";
import type { Claim, Session } from "./state.ts";

/** The mesh as its peers see it. */
export interface MeshIdentity {
  readonly keys: KeyPair;
  readonly name: string;
}

/** What every step takes from outside: nothing in session/ reads a clock or draws a number by itself. */
export interface SessionContext {
  readonly now: Millis;
  readonly randomBytes: RandomBytes;
  readonly mesh: MeshIdentity;
  /** Public key of the mesh's next identity while it rotates. */
  readonly nextMeshKey: Uint8Array | null;
  /** When the platform last answered a beat of this socket's peer; null when it never did. */
  readonly heartbeatAt: Millis | null;
}

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
): Intent => ({ type: "say", envelope: compose(context, to.claim.peerId, type, payload, replyTo) });

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
    intent: { type: "say", envelope },
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
 * What the coordinator hears when a session ends: of an active one, or of one that it had dialled. `silent`: without a word
 * of the peer's or to it.
 */
export function disconnectCommands(
  session: Session,
  reason: string,
  silent: boolean,
): readonly Intent[] {
  const note = disconnectCommand(session, reason, silent);
  return note === null ? [] : [{ type: "tell", messageId: null, note }];
}

function disconnectCommand(session: Session, reason: string, silent: boolean): Note | null {
  if (session.state === "closed") return null;
  const peerId = claimOf(session)?.peerId ?? "";
  if (session.state === "active")
    return { name: "gone", input: { peerId, epoch: session.epoch, reason, silent } };
  const { dial } = session.origin;
  if (dial === undefined) return null;
  const proved =
    session.state === "admitting" ? { publicKey: session.claim.publicKey, peerId } : null;
  return { name: "dial_failed", input: { peerId, dial, error: reason, proved } };
}

export const stay = (session: Session, ...intents: readonly Intent[]): Move => ({
  session,
  intents,
});
