/**
 * Stripe's `Stripe-Signature: t=SECONDS,v1=HEX,...`. Other senders use the same form with other header names.
 * https://docs.stripe.com/webhooks/signature
 */
import { toHex, utf8 } from "../base/bytes.ts";
import { ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import {
  SIGNATURE_HEADER_CHARS_MAX,
  SIGNATURES_MAX,
  signatureInvalid,
  signatureMissing,
  textKey,
  tooManySignatures,
  unixSeconds,
  type HeaderReader,
  type SignatureClaim,
  type SignatureScheme,
} from "./scheme.ts";

export const STRIPE_HEADER = "stripe-signature";

export const stripe = (header: string): SignatureScheme => ({
  macKey: textKey,
  claim: (headers) => claim(header, headers),
});

/**
 * The signature covers `t.body`. A redelivery has a new `t`, so the delivery's ID is made from the body. `v0`, which Stripe
 * sends for test events, is not accepted.
 */
function claim(header: string, headers: HeaderReader): Result<SignatureClaim, ApiError> {
  const text = headers.get(header);
  if (!text) return signatureMissing(`the header ${header} is missing`);
  const items = text.length > SIGNATURE_HEADER_CHARS_MAX ? [] : text.split(",");
  if (items.length === 0 || items.length > 1 + SIGNATURES_MAX) return tooManySignatures(header);
  const valuesOf = (name: string): readonly string[] =>
    items.filter((item) => item.startsWith(`${name}=`)).map((item) => item.slice(name.length + 1));

  const [time, ...more] = valuesOf("t");
  if (time === undefined) return signatureMissing(`${header} has no t=`);
  const seconds = unixSeconds(time);
  if (seconds === null || more.length > 0)
    return signatureInvalid(`${header} must contain exactly one t= with whole Unix seconds`);
  return ok({
    signedPrefix: utf8(`${time}.`),
    signatures: valuesOf("v1"),
    encode: toHex,
    signedAt: seconds,
    id: null,
  });
}
