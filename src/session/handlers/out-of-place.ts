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
