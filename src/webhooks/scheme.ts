import { equalConstantTime, utf8, type Bytes } from "../base/bytes.ts";
import { SECOND, type Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { SIGNATURE_TOLERANCE } from "../protocol/constants.ts";
import type { ApiError } from "../protocol/errors.ts";

/** Reads a request's headers: names in lower case, null if absent. `Headers` satisfies it. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** One delivery as it arrived; `body` is the raw bytes, not JSON that was parsed and serialized again. */
export interface Delivery {
  readonly headers: HeaderReader;
  readonly body: Uint8Array;
  readonly now: Millis;
}

/** What the headers of a delivery claim. It is known before the body is read, and proved by the MAC. */
export interface SignatureClaim {
  /** The text that is signed before the body. */
  readonly signedPrefix: Bytes;
  /** The signatures, of which one must equal the MAC as `encode` writes it. */
  readonly signatures: readonly string[];
  readonly encode: (mac: Bytes) => string;
  /** Unix seconds; null if the scheme signs no time. */
  readonly signedAt: number | null;
  /** The signed ID; null if the scheme signs none. */
  readonly id: string | null;
}

/** A claim of a scheme that signs neither a text before the body, nor a time, nor an ID. */
export const bodyClaim = (signature: string, encode: SignatureClaim["encode"]): SignatureClaim => ({
  signedPrefix: new Uint8Array(),
  signatures: [signature],
  encode,
  signedAt: null,
  id: null,
});

/** One way of signing deliveries. To add one, export this from a new file and add a case to `schemeOf`. */
export interface SignatureScheme {
  /** The MAC key for the secret, or the reason why the secret is unusable (which does not contain it). */
  readonly macKey: (secret: string) => Result<Bytes, string>;
  readonly claim: (headers: HeaderReader) => Result<SignatureClaim, ApiError>;
}

export const signatureMissing = (detail: string): Result<never, ApiError> =>
  err({ code: "signature_missing", detail });

export const signatureInvalid = (detail: string): Result<never, ApiError> =>
  err({ code: "signature_invalid", detail });

/** The same text for every wrong MAC, so that it does not reveal how the MAC differs. */
export const NO_MATCH = "no signature matches the body and this source's secret";

/** A signed time: only digits, without leading zeros. */
const UNIX_SECONDS = /^(?:0|[1-9][0-9]{0,11})$/;

/** The seconds of a signed time; null if it is not a whole number. */
export const unixSeconds = (text: string): number | null =>
  UNIX_SECONDS.test(text) ? Number(text) : null;

/** Signatures in one header: a rotation needs two; the others leave room for signatures of other versions. */
export const SIGNATURES_MAX = 16;
/** More than 16 signatures of the longest known version (Standard Webhooks' `v1a`, 92 characters each). */
export const SIGNATURE_HEADER_CHARS_MAX = 2_048;

export const tooManySignatures = (header: string): Result<never, ApiError> =>
  signatureInvalid(
    `${header} must contain at most ${SIGNATURES_MAX} signatures in ${SIGNATURE_HEADER_CHARS_MAX} characters`,
  );

/**
 * Whether one of the signatures equals the expected one. They are compared as text, so a signature has only one valid
 * spelling. All are compared, so that the time does not depend on which one matches.
 */
export function anyEquals(signatures: readonly string[], expected: string): boolean {
  let found = false;
  const bytes = utf8(expected);
  for (const signature of signatures) found = equalConstantTime(utf8(signature), bytes) || found;
  return found;
}

/** The key of a secret that is used as text: its UTF-8. A lone surrogate is refused: it would become U+FFFD, so that two secrets had one key. */
export function textKey(secret: string): Result<Bytes, string> {
  if (secret === "") return err("the secret must not be empty");
  if (!secret.isWellFormed())
    return err("the secret must be well-formed Unicode, without lone surrogates");
  return ok(utf8(secret));
}

/**
 * Checks that a signed time is close to `now`, earlier or later. Call it only after the MAC was verified: before that, the
 * time is not authenticated. If it were checked first, `signature_stale` would reveal the mesh's clock to anyone, and would
 * report clock drift to an operator whose secret is wrong. Checked last, it always means a valid delivery that is late or
 * replayed. The cost is one MAC over a body of limited size.
 */
export function checkFresh(signedSeconds: number, now: Millis): Result<void, ApiError> {
  const late = now - signedSeconds * SECOND;
  if (Math.abs(late) <= SIGNATURE_TOLERANCE) return ok(undefined);
  const seconds = Math.ceil(Math.abs(late) / SECOND);
  const tolerance = SIGNATURE_TOLERANCE / SECOND;
  return err({
    code: "signature_stale",
    detail: `the signed time is ${seconds} s ${late > 0 ? "behind" : "ahead of"} the mesh's clock, more than the allowed ${tolerance} s`,
  });
}
