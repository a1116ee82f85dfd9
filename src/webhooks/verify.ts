import { err, ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { Signing } from "../protocol/http.ts";
import { github } from "./github.ts";
import { hmacHeader } from "./hmac-header.ts";
import type { Delivery, SignatureScheme, Verified } from "./scheme.ts";
import { slack } from "./slack.ts";
import { standardWebhooks } from "./standard-webhooks.ts";
import { stripe, STRIPE_HEADER } from "./stripe.ts";

function schemeOf({ scheme, signature }: Signing): SignatureScheme {
  switch (scheme) {
    case "standard-webhooks":
      return standardWebhooks;
    case "github":
      return github;
    case "stripe":
      return stripe(signature?.header ?? STRIPE_HEADER);
    case "slack":
      return slack;
    case "hmac":
      return hmacHeader(signature ?? { header: HMAC_HEADER, encoding: "hex", prefix: "" });
    default:
      return scheme satisfies never;
  }
}

/** The default header of a plain HMAC. */
const HMAC_HEADER = "x-signature";

/** A delivery and the secrets of its source: more than one during a rotation. */
export interface SignedDelivery extends Delivery {
  readonly secrets: readonly string[];
}

/**
 * Verifies that one of the secrets signed these bytes; else the error is `signature_missing`, `signature_invalid` or
 * `signature_stale`.
 */
export function verifyDelivery(
  signing: Signing,
  { secrets, ...delivery }: SignedDelivery,
): Result<Verified, ApiError> {
  const scheme = schemeOf(signing);
  // `checkSecret` accepted the secrets, so this is a defect of the mesh: the sender must not be told that its signature is wrong.
  let refusal: ApiError = { code: "internal", detail: "the webhook source has no usable secret" };
  for (const secret of secrets) {
    const macKey = scheme.macKey(secret);
    if (!macKey.ok) continue;
    const verified = scheme.verify(macKey.value, delivery);
    if (verified.ok) return verified;
    // A stale signature matched its secret, so it is the more useful error.
    if (refusal.code !== "signature_stale") refusal = verified.error;
  }
  return err(refusal);
}

/** Checks that a secret is usable with its scheme, when a source is registered. */
export function checkSecret(
  signing: Signing,
  secret: string,
  place = "secret",
): Result<void, ApiError> {
  const macKey = schemeOf(signing).macKey(secret);
  if (macKey.ok) return ok(undefined);
  return err({
    code: "invalid_request",
    detail: macKey.error,
    issues: [{ path: place, message: macKey.error }],
  });
}
