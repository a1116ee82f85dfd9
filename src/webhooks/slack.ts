/**
 * Slack's request signing, `v0`.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
import { concat, toHex, utf8, type Bytes } from "../base/bytes.ts";
import { isJsonObject, type Json } from "../base/json.ts";
import { ok, type Result } from "../base/result.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import type { ApiError } from "../protocol/errors.ts";
import {
  anyEquals,
  bodyId,
  checkFresh,
  NO_MATCH,
  signatureInvalid,
  signatureMissing,
  textKey,
  unixSeconds,
  type Delivery,
  type SignatureScheme,
  type Verified,
} from "./scheme.ts";

export const slack: SignatureScheme = { macKey: textKey, verify };

/** The signature covers `v0:SECONDS:body`. A redelivery has a new time, so the delivery's ID is the hash of the body. */
function verify(key: Bytes, { headers, body, now }: Delivery): Result<Verified, ApiError> {
  const time = headers.get("x-slack-request-timestamp");
  if (!time) return signatureMissing("the header x-slack-request-timestamp is missing");
  const signature = headers.get("x-slack-signature");
  if (!signature) return signatureMissing("the header x-slack-signature is missing");
  const seconds = unixSeconds(time);
  if (seconds === null)
    return signatureInvalid("x-slack-request-timestamp must be a whole number of Unix seconds");
  const mac = hmacSha256(key, concat(utf8(`v0:${time}:`), body));
  if (!anyEquals([signature], `v0=${toHex(mac)}`)) return signatureInvalid(NO_MATCH);
  const fresh = checkFresh(seconds, now);
  return fresh.ok ? ok(bodyId(body)) : fresh;
}

/** The challenge by which Slack's Events API checks once whether the address answers; null for any other event. */
export function challengeOf(event: Json): string | null {
  if (!isJsonObject(event) || event["type"] !== "url_verification") return null;
  const { challenge } = event;
  return typeof challenge === "string" ? challenge : null;
}
