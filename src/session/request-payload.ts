import { toBase64, utf8 } from "../base/bytes.ts";
import { isJsonObject, JSON_DEPTH_MAX, type Json, type JsonObject } from "../base/json.ts";
import { JsonText, textOfJson, toJsonText, type ExactJson } from "../base/json-text/json-text.ts";
import { ExactMembers, readJson } from "../base/json-text/read-json.ts";
import type { GoP2pRequest } from "../protocol/messages.ts";
import type { Channel } from "./channel.ts";
import type { SessionContext } from "./context.ts";
import { sealedPayload } from "./sealed-payload.ts";
import type { Active } from "./state.ts";

/** The payload of a go-p2p request as this peer reads it. */
export const requestPayload = (
  { channel, claim }: Pick<Active, "channel" | "claim">,
  type: GoP2pRequest,
  payload: ExactJson,
  context: SessionContext,
): Json | JsonText =>
  type === "start_miner"
    ? encodedConfig(channel, payload)
    : sealedPayload(claim, type, payload, context);

/**
 * `start_miner`'s `config` is a JSON value for everybody but late nodes of generation 2, which take a string: the base64 of the JSON
 * text.
 */
function encodedConfig(channel: Channel, payload: ExactJson): Json | JsonText {
  const encodes = channel.protocol === "go-p2p/1.0" && channel.encodesConfig === true;
  const read = encodes ? readJson(textOfJson(payload), CONFIG, LIMITS) : null;
  const value = read?.ok === true ? (read.value as Json) : null;
  const config: unknown = isJsonObject(value) ? value["config"] : undefined;
  if (!(config instanceof JsonText) || config.text === "null") return toJsonText(payload);
  return { ...(value as JsonObject), config: toBase64(utf8(config.text)) };
}

const CONFIG = new ExactMembers(["config"]);
const LIMITS = { maxDepth: JSON_DEPTH_MAX };
