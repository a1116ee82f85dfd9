/**
 * GitHub's `X-Hub-Signature-256`.
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
import { toHex, type Bytes } from "../base/bytes.ts";
import { ok, type Result } from "../base/result.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import type { ApiError } from "../protocol/errors.ts";
import {
  anyEquals,
  bodyId,
  NO_MATCH,
  signatureInvalid,
  signatureMissing,
  textKey,
  type Delivery,
  type SignatureScheme,
  type Verified,
} from "./scheme.ts";

export const github: SignatureScheme = { macKey: textKey, verify };

/**
 * GitHub signs the body alone: not `X-GitHub-Delivery`, which anybody may change, and no time. So the body's hash is the
 * delivery's ID, and a replay is answered with the task it made for as long as that ID is remembered
 * (IDEMPOTENCY_RETENTION). Accepted: after that a captured delivery works once more.
 */
function verify(key: Bytes, { headers, body }: Delivery): Result<Verified, ApiError> {
  const signature = headers.get("x-hub-signature-256");
  if (!signature) {
    return signatureMissing(
      "x-hub-signature-256 is missing; GitHub sends it once the webhook has a secret, and x-hub-signature does not replace it",
    );
  }
  const expected = `sha256=${toHex(hmacSha256(key, body))}`;
  return anyEquals([signature], expected) ? ok(bodyId(body)) : signatureInvalid(NO_MATCH);
}
