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

/** Where a plain HMAC stands unless its source says otherwise. */
const HMAC_HEADER = "x-signature";

/** A delivery and the secrets of the source that it claims to come from: more than one while they are changed. */
export interface SignedDelivery extends Delivery {
  readonly secrets: readonly string[];
}

/**
 * Whether the holder of one of the secrets signed these bytes: `signature_missing`, `signature_invalid` or
 * `signature_stale`.
 */
export function verifyDelivery(
  signing: Signing,
  { secrets, ...delivery }: SignedDelivery,
): Result<Verified, ApiError> {
  const scheme = schemeOf(signing);
  // `checkSecret` let them in, so the fault is ours: the sender should try again, not learn that it signed wrongly.
  let refusal: ApiError = { code: "internal", detail: "the source's secret can't be used" };
  for (const secret of secrets) {
    const macKey = scheme.macKey(secret);
    if (!macKey.ok) continue;
    const verified = scheme.verify(macKey.value, delivery);
    if (verified.ok) return verified;
    // Stale says more than that another secret does not match: this one did.
    if (refusal.code !== "signature_stale") refusal = verified.error;
  }
  return err(refusal);
}

/** Whether a secret can serve under its scheme; asked when a source is registered. */
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
