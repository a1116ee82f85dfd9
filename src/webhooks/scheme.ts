import { equalConstantTime, toHex, utf8, type Bytes } from "../base/bytes.ts";
import { SECOND, type Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { sha256 } from "../crypto/primitives.ts";
import { SIGNATURE_TOLERANCE } from "../protocol/constants.ts";
import type { ApiError } from "../protocol/errors.ts";

/** What is read of a request's headers: names in lower case, null when absent. `Headers` satisfies it. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** One delivery as it arrived; `body` is the raw bytes, never JSON that was parsed and written again. */
export interface Delivery {
  readonly headers: HeaderReader;
  readonly body: Uint8Array;
  readonly now: Millis;
}

/** A delivery whose signature holds. `deliveryId` comes from signed material alone and is the idempotency key. */
export interface Verified {
  readonly deliveryId: string;
}

/** One way of signing deliveries. A new one is a file that exports this, and its case in `schemeOf`. */
export interface SignatureScheme {
  /** The MAC key that the secret stands for, or what is wrong with the secret (without showing it). */
  readonly macKey: (secret: string) => Result<Bytes, string>;
  readonly verify: (macKey: Bytes, delivery: Delivery) => Result<Verified, ApiError>;
}

export const signatureMissing = (detail: string): Result<never, ApiError> =>
  err({ code: "signature_missing", detail });

export const signatureInvalid = (detail: string): Result<never, ApiError> =>
  err({ code: "signature_invalid", detail });

/** The one answer to every MAC that differs, so that it tells nothing of how it differs. */
export const NO_MATCH = "no signature matches the body and this source's secret";

/** A signed time: digits alone, in one spelling. */
const UNIX_SECONDS = /^(?:0|[1-9][0-9]{0,11})$/;

/** The seconds of a signed time; null when it is not written as a whole number. */
export const unixSeconds = (text: string): number | null =>
  UNIX_SECONDS.test(text) ? Number(text) : null;

/** Signatures in one header: a rotation needs two; the rest is room for other versions beside them. */
export const SIGNATURES_MAX = 16;
/** Far above 16 signatures of the longest version there is (Standard Webhooks' `v1a`, 92 characters each). */
export const SIGNATURE_HEADER_CHARS_MAX = 2_048;

export const tooManySignatures = (header: string): Result<never, ApiError> =>
  signatureInvalid(
    `${header} must hold at most ${SIGNATURES_MAX} signatures in ${SIGNATURE_HEADER_CHARS_MAX} characters`,
  );

/**
 * Whether one of the signatures is the expected one, compared as written: so a signature has one spelling only. All are
 * compared, whichever matches.
 */
export function anyEquals(signatures: readonly string[], expected: string): boolean {
  let found = false;
  const bytes = utf8(expected);
  for (const signature of signatures) found = equalConstantTime(utf8(signature), bytes) || found;
  return found;
}

/** A secret that is keyed with as it is written: its UTF-8. A lone surrogate has none: it would become U+FFFD, and two secrets one. */
export function textKey(secret: string): Result<Bytes, string> {
  if (secret === "") return err("a secret must not be empty");
  if (!secret.isWellFormed()) return err("a secret must be well-formed Unicode");
  return ok(utf8(secret));
}

/**
 * The ID of a delivery whose scheme signs no ID: what was signed of it is its body, and its body's hash names it. Accepted:
 * two true deliveries of the very same bytes are one (events carry times and IDs, so that is a redelivery).
 */
export const bodyId = (body: Uint8Array): Verified => ({ deliveryId: toHex(sha256(body)) });

/**
 * Whether a signed time is near enough to `now`, early or late. Ask only after the MAC was found right: before that the
 * time is anybody's claim. Asked first, `signature_stale` would tell a stranger the mesh's clock and that the signature was
 * never looked at, and would send an operator after clock drift when the secret is wrong. Asked last, it always means a
 * true delivery that is late or replayed, which only a holder of that delivery can bring about; and the MAC that it costs
 * is over a body whose size is bounded.
 */
export function checkFresh(signedSeconds: number, now: Millis): Result<void, ApiError> {
  const late = now - signedSeconds * SECOND;
  if (Math.abs(late) <= SIGNATURE_TOLERANCE) return ok(undefined);
  const seconds = Math.ceil(Math.abs(late) / SECOND);
  const tolerance = SIGNATURE_TOLERANCE / SECOND;
  return err({
    code: "signature_stale",
    detail: `the signed time is ${seconds} s ${late > 0 ? "behind" : "ahead of"} the mesh's clock; ${tolerance} s are tolerated`,
  });
}
