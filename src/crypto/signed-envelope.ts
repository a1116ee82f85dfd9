import { fromBase64, fromUtf8 } from "../base/bytes.ts";
import { isJsonObject, parseJson, type Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { ed25519Verify } from "./primitives/edwards.ts";

const FIELDS = ["peerPubkey", "body", "signature"] as const;

/**
 * The text of the message in the text of a generation 2 frame: the text itself, or the body of a signed envelope. The envelope's key belongs
 * to nobody (any Ed25519 key will do, and a signature may be left out), so its signature says nothing about the sender. It is
 * verified only because go-p2p drops an envelope whose signature is wrong.
 */
export function unwrapEnvelope(text: string): Result<string, SessionFault> {
  const json = parseJson(text);
  if (!isJsonObject(json) || !FIELDS.some((name) => Object.hasOwn(json, name))) return ok(text);
  const [key, body, signature] = FIELDS.map((name) => bytesOf(json[name]));
  if (body === undefined || body === null || body.length === 0)
    return invalid("the signed envelope has no body");
  if (signature === null || key === null) return invalid("the signed envelope is not in base64");
  const isSigned = signature !== undefined && signature.length > 0;
  if (isSigned && (key === undefined || !ed25519Verify(key, body, signature)))
    return invalid("the signature of the envelope does not verify");
  const content = fromUtf8(body);
  return content === null ? invalid("the body of the signed envelope is not UTF-8") : ok(content);
}

/** The bytes of a field: undefined when it is absent or null, null when it is not base64. */
function bytesOf(value: Json | undefined) {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? fromBase64(value) : null;
}

const invalid = (detail: string): Result<never, SessionFault> =>
  err({ code: "bad_message", detail });
