import { toRfc3339, type Millis, type RandomBytes } from "../base/clock.ts";
import type { KeyPair } from "../crypto/identity.ts";
import { sealFrame } from "../crypto/session-cipher.ts";
import type { Json } from "../base/json.ts";
import type { Envelope } from "../protocol/envelope.ts";
import { toClose, toGoP2pError, type MusterError } from "../protocol/errors.ts";
import { newUuid } from "../protocol/ids.ts";
import type { MessageType, PayloadInput } from "../protocol/messages.ts";
import type { SessionEffect, Step } from "./effects.ts";
import type { Active, Claim, OutstandingPing, Session } from "./state.ts";

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

type Recipient = Pick<Active, "key"> & { readonly claim: Pick<Claim, "peerId"> };

/** One encrypted message to the peer. */
export function message<T extends MessageType>(
  context: SessionContext,
  to: Recipient,
  type: T,
  payload: PayloadInput<T>,
  replyTo?: string,
): SessionEffect {
  return seal(context, to, compose(context, to.claim.peerId, type, payload, replyTo));
}

export const seal = (
  { now, randomBytes }: SessionContext,
  to: Recipient,
  envelope: Envelope,
): SessionEffect => ({
  type: "send",
  frame: sealFrame(to.key, envelope, now, randomBytes),
});

/** A ping, and what to remember of it. */
export function ping(
  context: SessionContext,
  to: Recipient,
): { readonly ping: OutstandingPing; readonly effect: SessionEffect } {
  const envelope = compose(context, to.claim.peerId, "ping", { sentAt: context.now });
  return { ping: { id: envelope.id, sentAt: context.now }, effect: seal(context, to, envelope) };
}

/** Answers one message with what was wrong with it. */
export const errorReply = (
  context: SessionContext,
  to: Recipient,
  error: MusterError,
  replyTo: string,
): SessionEffect => message(context, to, "error", toGoP2pError(error), replyTo);

/** Ends the session for a fault; an active peer's end is told to the coordinator. */
export function end(
  session: Session,
  fault: MusterError,
  ...before: readonly SessionEffect[]
): Step {
  const claim = session.state === "greeting" ? null : session.claim;
  return {
    session: { state: "closed", claim },
    effects: [...before, { type: "close", ...toClose(fault) }, ...farewell(session, fault.detail)],
  };
}

/** What the coordinator hears when an active session ends, however it ends. */
export const farewell = (session: Session, reason: string): readonly SessionEffect[] =>
  session.state === "active"
    ? [
        {
          type: "tell",
          messageId: null,
          note: {
            name: "gone",
            input: { peerId: session.claim.peerId, epoch: session.epoch, reason },
          },
        },
      ]
    : [];

export const stay = (session: Session, ...effects: readonly SessionEffect[]): Step => ({
  session,
  effects,
});
