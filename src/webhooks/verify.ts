import { err, ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { WebhookScheme } from "../protocol/http.ts";
import { github } from "./github.ts";
import type { Delivery, SignatureScheme, Verified } from "./scheme.ts";
import { standardWebhooks } from "./standard-webhooks.ts";

const SCHEMES: { readonly [Scheme in WebhookScheme]: SignatureScheme } = {
  "standard-webhooks": standardWebhooks,
  github,
};

/** A delivery and the secret of the source that it claims to come from. */
export interface SignedDelivery extends Delivery {
  readonly secret: string;
}

/** Whether the holder of the secret signed these bytes: `signature_missing`, `signature_invalid` or `signature_stale`. */
export function verifyDelivery(
  scheme: WebhookScheme,
  { secret, ...delivery }: SignedDelivery,
): Result<Verified, ApiError> {
  const macKey = SCHEMES[scheme].macKey(secret);
  if (!macKey.ok) {
    // `checkSecret` let it in, so the fault is ours: the sender should try again, not learn that it signed wrongly.
    return err({ code: "internal", detail: "the source's secret can't be used" });
  }
  return SCHEMES[scheme].verify(macKey.value, delivery);
}

/** Whether a secret can serve under its scheme; asked when a source is registered. */
export function checkSecret(scheme: WebhookScheme, secret: string): Result<void, ApiError> {
  const macKey = SCHEMES[scheme].macKey(secret);
  if (macKey.ok) return ok(undefined);
  return err({
    code: "invalid_request",
    detail: macKey.error,
    issues: [{ path: "secret", message: macKey.error }],
  });
}
