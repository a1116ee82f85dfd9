/**
 * GitHub's `X-Hub-Signature-256`.
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
import { toHex } from "../base/bytes.ts";
import { ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import {
  bodyClaim,
  signatureMissing,
  textKey,
  type HeaderReader,
  type SignatureClaim,
  type SignatureScheme,
} from "./scheme.ts";

export const github: SignatureScheme = { macKey: textKey, claim };

/**
 * GitHub signs only the body: neither `X-GitHub-Delivery` nor a time. So the delivery's ID is made from the body, and a
 * replayed delivery is answered with the existing task while that ID is stored (IDEMPOTENCY_RETENTION). Accepted risk: after
 * that, a captured delivery is accepted once more.
 */
function claim(headers: HeaderReader): Result<SignatureClaim, ApiError> {
  const signature = headers.get("x-hub-signature-256");
  if (!signature) {
    return signatureMissing(
      "the header x-hub-signature-256 is missing: set a secret in GitHub's webhook settings (x-hub-signature is not accepted)",
    );
  }
  return ok(bodyClaim(signature, (mac) => `sha256=${toHex(mac)}`));
}

/**
 * Whether this is the event by which GitHub checks a new webhook. The header is not signed: a signed delivery that is sent again
 * with this header makes no task, and does not use up its ID.
 */
export const isPing = (headers: HeaderReader): boolean => headers.get("x-github-event") === "ping";
