import type { Json } from "../../base/json.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import type { MessageType } from "../../protocol/messages.ts";

/**
 * A message that waits to be sent. It becomes a frame only when it is emitted, because encryption numbers the frames of
 * a session in the order in which they are sent.
 */
export interface OutgoingMessage {
  readonly id: string;
  readonly type: MessageType;
  readonly payload: Json;
  readonly replyTo: string | undefined;
  /** Called when the message has been given to the socket. */
  readonly onSent: (() => void) | undefined;
}

/** The envelope of a message. `ts` is the time of emission, so that timestamps rise in the order of the frames. */
export const envelopeOf = (
  { id, type, payload, replyTo }: OutgoingMessage,
  { from, to, ts }: Pick<Envelope, "from" | "to" | "ts">,
): Envelope => ({ id, type, from, to, ts, payload, ...(replyTo !== undefined && { replyTo }) });
