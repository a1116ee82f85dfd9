import type { MessageType } from "../../protocol/messages.ts";
import { strike } from "../strikes.ts";
import type { Handler } from "./handler.ts";

/** A late handshake, or what only a mesh says to a peer. */
export const outOfPlace: Handler<MessageType> = (session, { id, type }, context) =>
  strike(
    session,
    { code: "out_of_place", detail: `${type} has no place in a running session` },
    context,
    id,
  );
