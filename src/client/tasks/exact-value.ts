import { JsonText } from "../../base/json-text/json-text.ts";
import { jsonOfValue } from "../../base/json-text/value-json.ts";
import { VALUE_DEPTH_MAX } from "../../protocol/task-limits.ts";
import { OptionsError } from "../errors.ts";

/**
 * A caller's payload as it is sent. Throws an `OptionsError` that names the place of what JSON would change in silence.
 *
 * @param around how many levels of the value contain the payload
 */
export function payloadJson(payload: unknown, root = "payload", around = 0): JsonText {
  const text = jsonOfValue(payload, root, VALUE_DEPTH_MAX + around);
  if (!text.ok) throw new OptionsError(`${text.error.path}: ${text.error.message}`);
  return new JsonText(text.value);
}
