import { toBase64, utf8 } from "../base/bytes.ts";
import { isJsonObject, type Json } from "../base/json.ts";
import type { GoP2pRequest } from "../protocol/messages.ts";
import type { Channel } from "./channel.ts";
import type { SessionContext } from "./context.ts";
import { sealedPayload } from "./sealed-payload.ts";
import type { Active } from "./state.ts";

/** The payload of a go-p2p request as this peer reads it. */
export const requestPayload = (
  { channel, claim }: Pick<Active, "channel" | "claim">,
  type: GoP2pRequest,
  payload: Json,
  context: SessionContext,
): Json =>
  type === "start_miner"
    ? encodedConfig(channel, payload)
    : sealedPayload(claim, type, payload, context);

/**
 * `start_miner`'s `config` is a JSON value for everybody but late nodes of generation 2, which take a string: the base64 of the JSON
 * text.
 */
function encodedConfig(channel: Channel, payload: Json): Json {
  const encodes = channel.protocol === "go-p2p/1.0" && channel.encodesConfig === true;
  if (!encodes || !isJsonObject(payload)) return payload;
  const { config } = payload;
  if (config === undefined || config === null) return payload;
  return { ...payload, config: toBase64(utf8(JSON.stringify(config))) };
}
