import { fromBase64, utf8, type Bytes } from "../base/bytes.ts";
import { textOfJson, type ExactJson } from "../base/json-text/json-text.ts";

/** The bytes of a result that is part of its task: its JSON, or the STMF container that it is sealed in. */
export function resultBytes(result: ExactJson, sealed: boolean): Bytes {
  const text = textOfJson(result);
  if (!sealed) return utf8(text);
  return fromBase64(String(JSON.parse(text))) ?? new Uint8Array();
}
