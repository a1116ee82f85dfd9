/**
 * Stripe's `Stripe-Signature: t=SECONDS,v1=HEX,...`. Other senders use the same form with other header names.
 * https://docs.stripe.com/webhooks/signature
 */
import { concat, toHex, utf8, type Bytes } from "../base/bytes.ts";
import { ok, type Result } from "../base/result.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import type { ApiError } from "../protocol/errors.ts";
import {
  anyEquals,
  bodyId,
  checkFresh,
  NO_MATCH,
  SIGNATURE_HEADER_CHARS_MAX,
  SIGNATURES_MAX,
  signatureInvalid,
  signatureMissing,
  textKey,
  tooManySignatures,
  unixSeconds,
  type Delivery,
  type SignatureScheme,
  type Verified,
} from "./scheme.ts";

export const STRIPE_HEADER = "stripe-signature";

export const stripe = (header: string): SignatureScheme => ({
  macKey: textKey,
  verify: (key, delivery) => verify(header, key, delivery),
});

/**
 * The signature covers `t.body`. A redelivery has a new `t`, so the delivery's ID is the hash of the body. `v0`, which Stripe
 * sends for test events, is not accepted.
 */
function verify(
  header: string,
  key: Bytes,
  { headers, body, now }: Delivery,
): Result<Verified, ApiError> {
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
  const mac = hmacSha256(key, concat(utf8(`${time}.`), body));
  if (!anyEquals(valuesOf("v1"), toHex(mac))) return signatureInvalid(NO_MATCH);
  const fresh = checkFresh(seconds, now);
  return fresh.ok ? ok(bodyId(body)) : fresh;
}
