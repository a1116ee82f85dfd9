/**
 * Standard Webhooks 1.0.0, symmetric signatures (`v1`, HMAC-SHA256).
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { concat, fromAnyBase64, toBase64, utf8, type Bytes } from "../base/bytes.ts";
import { SECOND, type Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import type { ApiError } from "../protocol/errors.ts";
import {
  SIGNATURE_HEADER_CHARS_MAX,
  SIGNATURES_MAX,
  signatureInvalid,
  signatureMissing,
  tooManySignatures,
  unixSeconds,
  type HeaderReader,
  type SignatureClaim,
  type SignatureScheme,
} from "./scheme.ts";

/** Length of a secret ("Signature scheme": at least 192 bits, at most 512). */
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const SECRET_PREFIX = "whsec_";
const KEY_PREFIX = /^wh(?:sec|pk|sk)_/;

/**
 * Visible ASCII without `.`: the full stop separates the parts of the signed text, so an ID that contains one would be ambiguous
 * ("Signature scheme": the ID must "not be allowed to include any `.`"). Without spaces, two headers joined into one do not match.
 */
const ID = /^[\x21-\x2d\x2f-\x7e]{1,256}$/;

export const standardWebhooks: SignatureScheme = { macKey, claim };

/** A secret that a sender states as plain text is given as the base64 of that text: guessing would mistake one for the other. */
function macKey(secret: string): Result<Bytes, string> {
  const encoded = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret;
  // A second prefix, or that of another kind of key, is base64url as well.
  const key = KEY_PREFIX.test(encoded) ? null : fromAnyBase64(encoded);
  if (key === null) {
    return err(
      "a Standard Webhooks secret must be base64 or base64url, with or without the prefix whsec_; encode a secret that is plain text with base64 first",
    );
  }
  if (key.length < SECRET_BYTES_MIN || key.length > SECRET_BYTES_MAX) {
    return err(
      `a Standard Webhooks secret must be the base64 of ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes; this one has ${key.length}`,
    );
  }
  return ok(key);
}

const NAMES = ["id", "timestamp", "signature"] as const;

/** The names under which a delivery may have its three headers. Svix, which Standard Webhooks came from, still sends its own. */
const PREFIXES = ["webhook", "svix"] as const;

/** The prefix of the set that decides: `webhook` unless only headers of Svix are there. The two are never mixed. */
const prefixOf = (headers: HeaderReader): string =>
  PREFIXES.find((prefix) => NAMES.some((name) => headers.get(`${prefix}-${name}`))) ?? PREFIXES[0];

function claim(headers: HeaderReader): Result<SignatureClaim, ApiError> {
  const prefix = prefixOf(headers);
  const [id, timestamp, signatures] = NAMES.map((name) => headers.get(`${prefix}-${name}`));
  if (!id || !timestamp || !signatures) {
    const missing = NAMES.filter((name) => !headers.get(`${prefix}-${name}`));
    const names = missing.map((name) => `${prefix}-${name}`).join(", ");
    return signatureMissing(`missing headers: ${names}`);
  }
  if (!ID.test(id)) {
    return signatureInvalid(
      `${prefix}-id must be 1 to 256 visible ASCII characters other than '.'`,
    );
  }
  const seconds = unixSeconds(timestamp);
  if (seconds === null)
    return signatureInvalid(`${prefix}-timestamp must be a whole number of Unix seconds`);
  const list = listOf(signatures);
  if (list === null) return tooManySignatures(`${prefix}-signature`);
  // The compared text includes the version, so signatures of another one (`v1a`) match nothing.
  return ok({
    signedPrefix: signedPrefix(id, timestamp),
    signatures: list,
    encode: encodeMac,
    signedAt: seconds,
    id,
  });
}

/** The signatures in the header ("Webhook headers": space delimited); null if there are too many. */
function listOf(header: string): readonly string[] | null {
  if (header.length > SIGNATURE_HEADER_CHARS_MAX) return null;
  const list = header.split(" ");
  return list.length > SIGNATURES_MAX ? null : list;
}

const signedPrefix = (id: string, timestamp: string): Bytes => utf8(`${id}.${timestamp}.`);
const encodeMac = (mac: Bytes): string => `v1,${toBase64(mac)}`;

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
    signatures.push(encodeMac(hmacSha256(key.value, concat(signedPrefix(id, timestamp), body))));
  }
  return ok({
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  });
}
