/**
 * GitHub's `X-Hub-Signature-256`.
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
import { equalConstantTime, toHex, utf8, type Bytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { hmacSha256, sha256 } from "../crypto/primitives.ts";
import type { ApiError } from "../protocol/errors.ts";
import {
  NO_MATCH,
  signatureInvalid,
  signatureMissing,
  type Delivery,
  type SignatureScheme,
  type Verified,
} from "./scheme.ts";

export const github: SignatureScheme = { macKey, verify };

/** The secret's UTF-8 bytes, as they are. A lone surrogate has none: it would become U+FFFD, and two secrets one. */
function macKey(secret: string): Result<Bytes, string> {
  if (secret === "") return err("a GitHub secret must not be empty");
  if (!secret.isWellFormed()) return err("a GitHub secret must be well-formed Unicode");
  return ok(utf8(secret));
}

/**
 * GitHub signs the body alone: not `X-GitHub-Delivery`, which anybody may change, and no time. So the body's hash is the
 * delivery's ID, and a replay is answered with the task it made for as long as that ID is remembered
 * (IDEMPOTENCY_RETENTION). Accepted: after that a captured delivery works once more; and two true deliveries of the very
 * same bytes are one (GitHub's events carry times and IDs, so that is a redelivery).
 */
function verify(key: Bytes, { headers, body }: Delivery): Result<Verified, ApiError> {
  const signature = headers.get("x-hub-signature-256");
  if (!signature) {
    return signatureMissing(
      "x-hub-signature-256 is missing; GitHub sends it once the webhook has a secret, and x-hub-signature does not replace it",
    );
  }
  // As written, `sha256=` and lower-case hex, so that a signature has one spelling only.
  const expected = utf8(`sha256=${toHex(hmacSha256(key, body))}`);
  if (!equalConstantTime(utf8(signature), expected)) return signatureInvalid(NO_MATCH);
  return ok({ deliveryId: toHex(sha256(body)) });
}
