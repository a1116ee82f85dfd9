/**
 * Slack's request signing, `v0`.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
import { toHex, utf8 } from "../base/bytes.ts";
import { ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { JsonPath } from "./json-path.ts";
import type { SelectedValues } from "./selection/json-selector.ts";
import {
  signatureInvalid,
  signatureMissing,
  textKey,
  unixSeconds,
  type HeaderReader,
  type SignatureClaim,
  type SignatureScheme,
} from "./scheme.ts";

export const slack: SignatureScheme = { macKey: textKey, claim };

/** The signature covers `v0:SECONDS:body`. A redelivery has a new time, so the delivery's ID is made from the body. */
function claim(headers: HeaderReader): Result<SignatureClaim, ApiError> {
  const time = headers.get("x-slack-request-timestamp");
  if (!time) return signatureMissing("the header x-slack-request-timestamp is missing");
  const signature = headers.get("x-slack-signature");
  if (!signature) return signatureMissing("the header x-slack-signature is missing");
  const seconds = unixSeconds(time);
  if (seconds === null)
    return signatureInvalid("x-slack-request-timestamp must be a whole number of Unix seconds");
  return ok({
    signedPrefix: utf8(`v0:${time}:`),
    signatures: [signature],
    encode: (mac) => `v0=${toHex(mac)}`,
    signedAt: seconds,
    id: null,
  });
}

const TYPE: JsonPath = { text: "$.type", segments: ["type"] };
const CHALLENGE: JsonPath = { text: "$.challenge", segments: ["challenge"] };
export const challengePaths: readonly JsonPath[] = [TYPE, CHALLENGE];

/** The challenge by which Slack's Events API checks once whether the address answers; null for any other event. */
export function challengeOf(event: SelectedValues): string | null {
  const [type, challenge] = challengePaths.map((path): unknown => {
    const selected = event.find(path, "compared");
    return selected ? JSON.parse(selected.text) : null;
  });
  return type === "url_verification" && typeof challenge === "string" ? challenge : null;
}
