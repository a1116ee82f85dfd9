import type { MessageType } from "../../protocol/messages.ts";
import { strike } from "../strikes.ts";
import type { Handler } from "./handler.ts";

/** A handshake message after the handshake, or a message that only a mesh sends to a peer. */
export const outOfPlace: Handler<MessageType> = (session, { id, type }, context) =>
  strike(
    session,
    { code: "out_of_place", detail: `a peer may not send ${type} in an active session` },
    context,
    id,
  );

/** A message that only peers send that speak Muster's messages. */
export const musterOnly =
  <T extends MessageType>(handle: Handler<T>): Handler<T> =>
  (session, message, context) =>
    session.claim.speaksMuster
      ? handle(session, message, context)
      : outOfPlace(session, message, context);
