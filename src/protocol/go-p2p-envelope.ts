import { isJsonObject, type Json } from "../base/json.ts";
import { writeJson } from "../base/json-text/write-json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { readShape } from "../base/shape/read-shape.ts";
import type { Envelope } from "./envelope.ts";
import { parseMessage } from "./read-envelope.ts";
import { Envelope as EnvelopeShape } from "./shapes/messages.ts";
import type { SessionFault } from "./errors.ts";
import type { GoP2pGeneration } from "./go-p2p-generation.ts";

/** The name of a message's time in each generation of go-p2p. Everything else in a message has the same name. */
const TIME_FIELDS = { 1: "ts", 2: "timestamp" } as const;

export interface GoP2pEnvelope {
  readonly envelope: Envelope;
  /** The generation whose name the time has. A message with both names is one of generation 2. */
  readonly generation: GoP2pGeneration;
}

/** Parses a message of either generation; `bad_message` when it is not JSON or not an envelope. */
export function readGoP2pEnvelope(text: string): Result<GoP2pEnvelope, SessionFault> {
  const json = parseMessage(text) as Json | undefined;
  if (json === undefined) return err({ code: "bad_message", detail: "the message is not JSON" });
  const generation = isJsonObject(json) && Object.hasOwn(json, TIME_FIELDS[2]) ? 2 : 1;
  const fields = isJsonObject(json) ? { ...json, ts: json[TIME_FIELDS[generation]] } : json;
  const envelope = readShape(EnvelopeShape, fields);
  if (envelope.ok) return ok({ envelope: envelope.value, generation });
  const detail = envelope.error.replace(/^ts:/, `${TIME_FIELDS[generation]}:`);
  return err({ code: "bad_message", detail });
}

/**
 * A message as its generation writes it. `both`: for the handshake of a dial, before the generation of the other side is known.
 * Each generation skips the name that it does not know.
 */
export function writeGoP2pEnvelope(
  { id, type, from, to, ts, payload, replyTo }: Envelope,
  generation: GoP2pGeneration | "both",
): string {
  const time = {
    ...(generation !== 2 && { [TIME_FIELDS[1]]: ts }),
    ...(generation !== 1 && { [TIME_FIELDS[2]]: ts }),
  };
  return writeJson({ id, type, from, to, ...time, payload, replyTo });
}
