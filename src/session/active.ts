import type { Bytes } from "../base/bytes.ts";
import { openFrame } from "../crypto/session-cipher.ts";
import { firstIssue, type Envelope } from "../protocol/envelope.ts";
import { isMessageType, PAYLOADS, type MessageType, type PayloadOf } from "../protocol/messages.ts";
import type { Step } from "./effects.ts";
import { HANDLERS, type Handler } from "./handlers/index.ts";
import { remember } from "./id-window.ts";
import { errorReply, stay, type SessionContext } from "./outgoing.ts";
import type { Active } from "./state.ts";
import { strike } from "./strikes.ts";

/** One frame of a proved peer: opened, checked for its sender and for repetition, then handled by its type. */
export function receive(session: Active, data: string | Bytes, context: SessionContext): Step {
  if (typeof data === "string") {
    return strike(
      session,
      { code: "out_of_place", detail: "the handshake is over: frames are binary now" },
      context,
    );
  }
  const opened = openFrame(session.key, data);
  if (!opened.ok) return strike(session, opened.error, context);
  const envelope = opened.value;
  if (!addressed(envelope, session, context)) {
    const fault = {
      code: "identity_mismatch",
      detail: "from must be this session's peer, to the mesh",
    } as const;
    return strike(session, fault, context, envelope.id);
  }
  const { freshness, window } = remember(session.window, envelope.id, Date.parse(envelope.ts));
  if (freshness === "old") return stay(session);
  if (freshness === "duplicate") {
    const fault = {
      code: "duplicate_message",
      detail: "a message of this ID was taken already",
    } as const;
    return stay(session, errorReply(context, session, fault, envelope.id));
  }
  return handle({ ...session, window }, envelope, context);
}

/** `to` may be empty, which is go-p2p's broadcast. */
const addressed = ({ from, to }: Envelope, { claim }: Active, { mesh }: SessionContext): boolean =>
  from === claim.peerId && (to === mesh.keys.id || to === "");

function handle(session: Active, envelope: Envelope, context: SessionContext): Step {
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
): Step => (HANDLERS[type] as Handler<MessageType>)(session, envelope, context);
