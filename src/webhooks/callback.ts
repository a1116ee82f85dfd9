/** Webhooks out: how often a task's end is told, what counts as heard, and what signs it. */
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
import { secretOf } from "./standard-webhooks.ts";

/** One try to deliver. `endedAt` stays null when it was cut off: nobody knows whether it was heard. */
export interface CallbackAttempt {
  readonly at: Millis;
  readonly endedAt: Millis | null;
  readonly status: number | null;
  readonly error: string | null;
}

/** Who wants to be told of a task's end, and how far that has come. */
export interface Callback {
  readonly taskId: string;
  readonly url: string;
  /** Of the URL: attempts are limited by receiver. */
  readonly origin: string;
  /** The secret given with the task, sealed, in base64; null for its owner's own. */
  readonly sealedSecret: string | null;
  readonly state: CallbackState;
  /** While pending: when to try next; during an attempt, when it counts as cut off. */
  readonly dueAt: Millis | null;
  readonly attempts: readonly CallbackAttempt[];
}

/** How one attempt went; `status` is null when no HTTP answer came. */
export interface Answer {
  readonly status: number | null;
  readonly error: string | null;
  /** The receiver's `Retry-After`, in seconds. */
  readonly retryAfter: number | null;
}

/** 2xx alone is heard (Standard Webhooks, "Response"): a redirect is not followed, and so is no answer. */
export const isAcknowledged = ({ status }: Answer): boolean =>
  status !== null && status >= 200 && status < 300;

/** The receiver says that there is nobody any more, and there will not be. */
const GONE = 410;

/**
 * When to try again after `attempts` that went unheard; null to give up. The pause is CALLBACK_BACKOFF_INITIAL * 4^(attempts - 1)
 * up to its maximum, a quarter more or less by lot, so that what failed together does not come back together; a receiver
 * that asks for more time gets it, up to the same maximum.
 */
export function nextAttempt(
  attempts: number,
  { status, retryAfter }: Answer,
  now: Millis,
  random: Random,
): Millis | null {
  if (status === GONE || attempts >= CALLBACK_ATTEMPTS_MAX) return null;
  const pause = Math.min(CALLBACK_BACKOFF_INITIAL * 4 ** (attempts - 1), CALLBACK_BACKOFF_MAX);
  const asked = Math.min((retryAfter ?? 0) * SECOND, CALLBACK_BACKOFF_MAX);
  return now + Math.round(Math.max(pause * (0.75 + random() / 2), asked));
}

/** The key from which all that signs or seals callbacks is made: HKDF-SHA256 of the mesh's signing key. */
export const callbackKey = (signingPrivateKey: Uint8Array): Bytes =>
  hkdfSha256(signingPrivateKey, utf8("muster/callback/1"), KEY_BYTES);

/**
 * The secret that signs the callbacks of one owner's tasks. It is derived, not stored: a token has the same one for as long
 * as it lives, and another token another.
 */
export const ownerSecret = (key: Uint8Array, owner: string): string =>
  secretOf(hkdfSha256(key, utf8(`owner:${owner}`), KEY_BYTES));

/** A secret given with a task, as it is stored: under a key of that task's own. */
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
