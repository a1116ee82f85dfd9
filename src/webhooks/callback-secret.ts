/**
 * Which secrets sign the callbacks of an owner's tasks to one receiver. They are derived, not stored: only how often they were rotated
 * is. Each receiver (an origin) has its own, so that no receiver can sign what another one accepts.
 */
import { utf8 } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import { hkdfSha256 } from "../crypto/primitives.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { secretOf } from "./standard-webhooks.ts";

/** How often the secret of an owner and an origin was rotated. */
export interface CallbackRotation {
  readonly owner: string;
  readonly origin: string;
  /** Of the current secret; 1 if it was never rotated. */
  readonly version: number;
  readonly rotatedAt: Millis | null;
  /** Until then the secret of the version before signs, too. */
  readonly previousUntil: Millis | null;
}

export const neverRotated = (owner: string, origin: string): CallbackRotation => ({
  owner,
  origin,
  version: 1,
  rotatedAt: null,
  previousUntil: null,
});

/** The next version, from now on. The previous one signs for `overlap` longer; the one before that no more. */
export const rotated = (
  rotation: CallbackRotation,
  overlap: Millis,
  now: Millis,
): CallbackRotation => ({
  ...rotation,
  version: rotation.version + 1,
  rotatedAt: now,
  previousUntil: overlap === 0 ? null : now + overlap,
});

/** Whether the secret before the current one signs, too. */
export const signsWithPrevious = ({ previousUntil }: CallbackRotation, now: Millis): boolean =>
  previousUntil !== null && now < previousUntil;

/** One secret. The JSON of the parts is unambiguous: no owner and origin give the text of others. */
export const secretOfVersion = (
  key: Uint8Array,
  { owner, origin }: CallbackRotation,
  version: number,
): string =>
  secretOf(hkdfSha256(key, utf8(`secret:${JSON.stringify([owner, origin, version])}`), KEY_BYTES));

/** The secrets that sign now, the current one first. */
export function signingSecrets(
  key: Uint8Array,
  rotation: CallbackRotation,
  now: Millis,
): readonly string[] {
  const current = secretOfVersion(key, rotation, rotation.version);
  if (!signsWithPrevious(rotation, now)) return [current];
  return [current, secretOfVersion(key, rotation, rotation.version - 1)];
}
