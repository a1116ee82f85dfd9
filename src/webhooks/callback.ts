/** Callbacks: when an attempt is made, which answers acknowledge it, and how a secret of its own is stored. */
import { backoffPause, quarterJitter } from "../base/backoff.ts";
import { fromBase64, toBase64, utf8, type Bytes } from "../base/bytes.ts";
import { SECOND, type Millis, type Random, type RandomBytes } from "../base/clock.ts";
import { hkdfSha256 } from "../crypto/primitives.ts";
import {
  CALLBACK_ATTEMPTS_MAX,
  CALLBACK_BACKOFF_INITIAL,
  CALLBACK_BACKOFF_MAX,
  KEY_BYTES,
} from "../protocol/constants.ts";
import type { CallbackState } from "../protocol/http.ts";
import { openSecret, sealSecret, storageKey } from "./sealed-secret.ts";

/** One delivery attempt. `endedAt` is null while it runs, and stays null if the object restarts during the attempt. */
interface CallbackAttempt {
  readonly at: Millis;
  readonly endedAt: Millis | null;
  readonly status: number | null;
  readonly error: string | null;
}

/** A receiver of a task's end, and the state of the delivery. */
export interface Callback {
  readonly taskId: string;
  /** Whose task it is, as in `ownerKeyOf`. */
  readonly owner: string;
  readonly url: string;
  /** The URL's origin: the receiver. */
  readonly origin: string;
  /** The secret given with the task, sealed, in base64; null for that of the owner and the origin. */
  readonly sealedSecret: string | null;
  readonly state: CallbackState;
  /** While pending: the time of the next attempt; during an attempt: the time after which it counts as interrupted. */
  readonly dueAt: Millis | null;
  readonly attempts: readonly CallbackAttempt[];
}

/** The outcome of one attempt; `status` is null if there was no HTTP answer. */
export interface Answer {
  readonly status: number | null;
  readonly error: string | null;
  /** The receiver's `Retry-After`, in seconds. */
  readonly retryAfter: number | null;
}

/** Only 2xx acknowledges (Standard Webhooks, "Response"). Redirects are not followed, so they do not acknowledge either. */
export const isAcknowledged = ({ status }: Answer): boolean =>
  status !== null && status >= 200 && status < 300;

/** The receiver does not exist any more; there are no further attempts. */
const GONE = 410;

/**
 * The time of the next attempt after `attempts` without acknowledgement; null if there is none. The pause is
 * CALLBACK_BACKOFF_INITIAL * 4^(attempts - 1), at most CALLBACK_BACKOFF_MAX, with a random jitter of ±25 percent, so that
 * callbacks that failed together are not repeated together. A `Retry-After` extends it, up to the same maximum.
 */
export function nextAttempt(
  attempts: number,
  { status, retryAfter }: Answer,
  now: Millis,
  random: Random,
): Millis | null {
  if (status === GONE || attempts >= CALLBACK_ATTEMPTS_MAX) return null;
  const backoff = { initial: CALLBACK_BACKOFF_INITIAL, max: CALLBACK_BACKOFF_MAX, factor: 4 };
  const pause = quarterJitter(backoffPause(backoff, attempts), random());
  const asked = Math.min((retryAfter ?? 0) * SECOND, CALLBACK_BACKOFF_MAX);
  return now + Math.max(pause, Math.round(asked));
}

/** The key from which the keys and secrets of callbacks are derived: HKDF-SHA256 of the mesh's signing key. */
export const callbackKey = (signingPrivateKey: Uint8Array): Bytes =>
  hkdfSha256(signingPrivateKey, utf8("muster/callback/1"), KEY_BYTES);

/** Seals a secret given with a task, under a key of this task. */
export const sealCallbackSecret = (
  key: Uint8Array,
  taskId: string,
  secret: string,
  random: RandomBytes,
): string => toBase64(sealSecret(storageKey(key, taskId), secret, random));

export const openCallbackSecret = (
  key: Uint8Array,
  taskId: string,
  sealed: string,
): string | null => openSecret(storageKey(key, taskId), fromBase64(sealed) ?? new Uint8Array());
