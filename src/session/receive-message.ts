import type { Bytes } from "../base/bytes.ts";
import { firstIssue, type Envelope } from "../protocol/envelope.ts";
import { isMessageType, PAYLOADS, type MessageType, type PayloadOf } from "../protocol/messages.ts";
import { MESSAGES_PER_SECOND } from "../protocol/constants.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { openFrom } from "./channel.ts";
import { ignoreContentEvent } from "./content-events.ts";
import type { Move } from "./effects.ts";
import { HANDLERS, type Handler } from "./handlers/index.ts";
import { withLiveness } from "./liveness.ts";
import type { SessionContext } from "./context.ts";
import { end } from "./end.ts";
import { errorReply } from "./messages.ts";
import { stay } from "./moves.ts";
import { clockSteppedBack, dropOldMessage, judgeOldMessage } from "./old-message.ts";
import { spendAllowance } from "./rate-limit.ts";
import type { Active } from "./state.ts";
import { spendCredit } from "./task-credit.ts";
import { strike, TEXT_FRAME } from "./strikes.ts";

/** One frame of an active peer: decrypted, checked for replay and for its sender, then handled by its message type. */
export function receiveMessage(
  session: Active,
  data: string | Bytes,
  context: SessionContext,
): Move {
  if (typeof data === "string") {
    return strike(session, TEXT_FRAME, context);
  }
  const opened = openFrom(session.channel, data);
  if (!opened.ok) return rejectUndecryptable(session, opened.error, context);
  const { envelope, channel, freshness } = opened.value;
  if (envelope.type === "content_event" && channel.protocol === "go-p2p/1.0")
    return ignoreContentEvent(session, context);
  const charged = charge(
    { ...session, channel },
    freshness === "fresh" ? envelope.type : null,
    context,
  );
  if (charged === null) return end(session, RATE_LIMITED);
  // A replayed frame does not show that the peer is alive.
  const alive = freshness === "fresh" ? { heardAt: context.now } : {};
  const heard = withLiveness(charged, alive);
  if (freshness === "old") return receiveOldMessage(heard, envelope, context);
  if (freshness === "duplicate") {
    const fault = {
      code: "duplicate_message",
      detail: "a message with this ID was handled already",
    } as const;
    return stay(heard, errorReply(context, heard, fault, envelope.id));
  }
  if (!isAddressedWell(envelope, heard, context)) {
    const fault = {
      code: "not_permitted",
      detail: "`from` must be the ID of this session's peer, `to` the ID of the mesh or empty",
    } as const;
    return strike(heard, fault, context, envelope.id);
  }
  return parseAndHandle(heard, envelope, context);
}

/** A message stamped before the session's floor: see `OldMessage`. */
function receiveOldMessage(session: Active, envelope: Envelope, context: SessionContext): Move {
  if (!isAddressedWell(envelope, session, context)) return stay(session);
  const judged = judgeOldMessage(session, envelope, context.now);
  switch (judged.shows) {
    case "nothing":
      return dropOldMessage(session, context);
    case "overtaken":
      return parseAndHandle(withLiveness(session, { heardAt: context.now }), envelope, context);
    case "clock_stepped_back":
      return end(session, clockSteppedBack(judged.byMs));
    default:
      return judged satisfies never;
  }
}

/**
 * The session after a message of this type (null: one that is not handled) was counted; null when the peer has sent too many.
 * What answers an offer spends the credit of the offers; everything else spends the message allowance.
 */
function charge(session: Active, type: string | null, { now }: SessionContext): Active | null {
  const credit = type === null ? null : spendCredit(session.credit, type, now);
  if (credit !== null) return { ...session, credit };
  const bucket = spendAllowance(session.bucket, now);
  return bucket === null ? null : { ...session, bucket };
}

const RATE_LIMITED: SessionFault = {
  code: "rate_limited",
  detail: `more than ${MESSAGES_PER_SECOND} messages a second; reconnect in a second and send fewer`,
};

/** Over muster.2 a frame that does not decrypt was altered, repeated, or a frame before it was lost: the session can't continue. */
const rejectUndecryptable = (session: Active, fault: SessionFault, context: SessionContext): Move =>
  session.channel.protocol === "muster/2" ? end(session, fault) : strike(session, fault, context);

/** `to` may be empty: go-p2p's broadcast. */
const isAddressedWell = (
  { from, to }: Envelope,
  { claim }: Active,
  { mesh }: SessionContext,
): boolean => from === claim.peerId && (to === mesh.keys.id || to === "");

function parseAndHandle(session: Active, envelope: Envelope, context: SessionContext): Move {
  const { type, id } = envelope;
  if (!isMessageType(type)) {
    const fault = { code: "unknown_type", detail: `there is no message type ${type}` } as const;
    return strike(session, fault, context, id);
  }
  const payload = PAYLOADS[type].safeParse(envelope.payload);
  if (!payload.success) {
    const fault = { code: "bad_message", detail: `${type}: ${firstIssue(payload.error)}` } as const;
    return strike(session, fault, context, id);
  }
  return dispatch(session, type, { ...envelope, payload: payload.data }, context);
}

const dispatch = <T extends MessageType>(
  session: Active,
  type: T,
  envelope: Omit<Envelope, "payload"> & { readonly payload: PayloadOf<MessageType> },
  context: SessionContext,
): Move => (HANDLERS[type] as Handler<MessageType>)(session, envelope, context);
