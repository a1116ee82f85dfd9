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
 * GitHub signs only the body: neither `X-GitHub-Delivery` nor a time. So the delivery's ID is the hash of the body, and a
 * replayed delivery is answered with the existing task while that ID is stored (IDEMPOTENCY_RETENTION). Accepted risk: after
 * that, a captured delivery is accepted once more.
 */
function verify(key: Bytes, { headers, body }: Delivery): Result<Verified, ApiError> {
  const signature = headers.get("x-hub-signature-256");
  if (!signature) {
    return signatureMissing(
      "the header x-hub-signature-256 is missing: set a secret in GitHub's webhook settings (x-hub-signature is not accepted)",
    );
  }
  const expected = `sha256=${toHex(hmacSha256(key, body))}`;
  return anyEquals([signature], expected) ? ok(bodyId(body)) : signatureInvalid(NO_MATCH);
}
