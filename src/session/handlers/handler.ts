import type { Envelope } from "../../protocol/envelope.ts";
import type { MessageType, PayloadOf } from "../../protocol/messages.ts";
import type { Move } from "../effects.ts";
import type { SessionContext } from "../context.ts";
import type { Active } from "../state.ts";

/** A message whose payload has been checked against its type. */
export type Message<T extends MessageType> = Omit<Envelope, "payload"> & {
  readonly payload: PayloadOf<T>;
};

/** Handles one message of an active peer. */
export type Handler<T extends MessageType> = (
  session: Active,
  message: Message<T>,
  context: SessionContext,
) => Move;
