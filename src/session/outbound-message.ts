import type { Json } from "../base/json.ts";
import type { Envelope } from "../protocol/envelope.ts";

/** A message that is not sealed yet. */
export interface OutboundMessage {
  readonly envelope: Envelope;
  /** The payload instead of one that is too large for a frame of the session: at most `max` bytes of JSON. Absent: texts are cut. */
  readonly shorten?: (max: number) => Json;
}
