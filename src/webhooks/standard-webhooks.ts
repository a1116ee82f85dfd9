/**
 * Standard Webhooks 1.0.0, symmetric signatures (`v1`, HMAC-SHA256).
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { concat, fromBase64, toBase64, utf8, type Bytes } from "../base/bytes.ts";
import { SECOND, type Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import type { ApiError } from "../protocol/errors.ts";
import {
  anyEquals,
  checkFresh,
  NO_MATCH,
  SIGNATURE_HEADER_CHARS_MAX,
  SIGNATURES_MAX,
  signatureInvalid,
  signatureMissing,
  tooManySignatures,
  unixSeconds,
  type Delivery,
  type SignatureScheme,
  type Verified,
} from "./scheme.ts";

/** Length of a secret ("Signature scheme": at least 192 bits, at most 512). */
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const SECRET_PREFIX = "whsec_";

/**
 * Visible ASCII without `.`: the full stop separates the parts of the signed text, so an ID that contains one would be ambiguous
 * ("Signature scheme": the ID must "not be allowed to include any `.`"). Without spaces, two headers joined into one do not match.
 */
const ID = /^[\x21-\x2d\x2f-\x7e]{1,256}$/;

export const standardWebhooks: SignatureScheme = { macKey, verify };

function macKey(secret: string): Result<Bytes, string> {
  const encoded = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret;
  const key = fromBase64(encoded);
  if (key === null) {
    return err(
      "a Standard Webhooks secret must be padded base64, with or without the prefix whsec_",
    );
  }
  if (key.length < SECRET_BYTES_MIN || key.length > SECRET_BYTES_MAX) {
    return err(
      `a Standard Webhooks secret must be the base64 of ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes; this one has ${key.length}`,
    );
  }
  return ok(key);
}

function verify(key: Bytes, { headers, body, now }: Delivery): Result<Verified, ApiError> {
  const id = headers.get("webhook-id");
  if (!id) return signatureMissing("the header webhook-id is missing");
  const timestamp = headers.get("webhook-timestamp");
  if (!timestamp) return signatureMissing("the header webhook-timestamp is missing");
  const signatures = headers.get("webhook-signature");
  if (!signatures) return signatureMissing("the header webhook-signature is missing");

  if (!ID.test(id)) {
    return signatureInvalid("webhook-id must be 1 to 256 visible ASCII characters other than '.'");
  }
  const seconds = unixSeconds(timestamp);
  if (seconds === null) {
    return signatureInvalid("webhook-timestamp must be a whole number of Unix seconds");
  }
  const list = listOf(signatures);
  if (list === null) return tooManySignatures("webhook-signature");

  // The compared text includes the version.
  if (!anyEquals(list, signatureOf(key, id, timestamp, body))) return signatureInvalid(NO_MATCH);
  const fresh = checkFresh(seconds, now);
  if (!fresh.ok) return fresh;
  return ok({ deliveryId: id });
}

/** The signatures in the header ("Webhook headers": space delimited); null if there are too many. */
function listOf(header: string): readonly string[] | null {
  if (header.length > SIGNATURE_HEADER_CHARS_MAX) return null;
  const list = header.split(" ");
  return list.length > SIGNATURES_MAX ? null : list;
}

const signatureOf = (key: Bytes, id: string, timestamp: string, body: Uint8Array): string =>
  `v1,${toBase64(hmacSha256(key, concat(utf8(`${id}.${timestamp}.`), body)))}`;

/** The secret for these bytes in the notation of Standard Webhooks. */
export const secretOf = (key: Uint8Array): string => SECRET_PREFIX + toBase64(key);

/** The headers that sign one delivery with each of these secrets, or the reason why one is unusable. */
export function signStandard(
  secrets: readonly string[],
  { id, at, body }: { readonly id: string; readonly at: Millis; readonly body: Uint8Array },
): Result<Readonly<Record<string, string>>, string> {
  const timestamp = String(Math.floor(at / SECOND));
  const signatures: string[] = [];
  for (const secret of secrets) {
    const key = macKey(secret);
    if (!key.ok) return key;
    signatures.push(signatureOf(key.value, id, timestamp, body));
  }
  return ok({
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  });
}
