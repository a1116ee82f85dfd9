import { concat, toHex, type Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { hmacSha256, sha256 } from "../crypto/primitives.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { Signing } from "../protocol/http.ts";
import { github } from "./github.ts";
import { hmacHeader } from "./hmac-header.ts";
import {
  anyEquals,
  checkFresh,
  NO_MATCH,
  signatureInvalid,
  type Delivery,
  type HeaderReader,
  type SignatureClaim,
  type SignatureScheme,
} from "./scheme.ts";
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

/** What the headers claim: which signatures, over which text. An error if they claim nothing, whatever the body is. */
export const claimOf = (
  signing: Signing,
  headers: HeaderReader,
): Result<SignatureClaim, ApiError> => schemeOf(signing).claim(headers);

/** The MAC keys of a source's secrets. None is a defect of the mesh: the sender must not be told that its signature is wrong. */
export function macKeysOf(
  signing: Signing,
  secrets: readonly string[],
): Result<readonly Bytes[], ApiError> {
  const { macKey } = schemeOf(signing);
  const keys = secrets.map(macKey).flatMap((key) => (key.ok ? [key.value] : []));
  return keys.length > 0
    ? ok(keys)
    : err({ code: "internal", detail: "the webhook source has no usable secret" });
}

/** Checks the claim against the MACs that the source's secrets give. All are compared: a rotation costs no time that tells which matched. */
export function checkClaim(
  { signatures, encode, signedAt }: SignatureClaim,
  macs: readonly Bytes[],
  now: Millis,
): Result<void, ApiError> {
  const matches = macs.map((mac) => anyEquals(signatures, encode(mac)));
  if (!matches.includes(true)) return signatureInvalid(NO_MATCH);
  return signedAt === null ? ok(undefined) : checkFresh(signedAt, now);
}

/** A delivery and the secrets of its source: more than one during a rotation. */
export interface SignedDelivery extends Delivery {
  readonly secrets: readonly string[];
}

/** A delivery with a valid signature. */
export interface Verified {
  /** What the signature covers and tells deliveries apart: the signed ID, or else the hash of the body. */
  readonly deliveryId: string;
}

/**
 * Verifies that one of the secrets signed these bytes; else the error is `signature_missing`, `signature_invalid` or
 * `signature_stale`.
 */
export function verifyDelivery(
  signing: Signing,
  { secrets, headers, body, now }: SignedDelivery,
): Result<Verified, ApiError> {
  const keys = macKeysOf(signing, secrets);
  if (!keys.ok) return keys;
  const claim = claimOf(signing, headers);
  if (!claim.ok) return claim;
  const text = concat(claim.value.signedPrefix, body);
  const macs = keys.value.map((key) => hmacSha256(key, text));
  const checked = checkClaim(claim.value, macs, now);
  if (!checked.ok) return checked;
  return ok({ deliveryId: claim.value.id ?? toHex(sha256(body)) });
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
