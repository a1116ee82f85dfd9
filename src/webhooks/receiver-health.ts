import { backoffPause, quarterJitter } from "../base/backoff.ts";
import { HOUR, MINUTE, SECOND, type Millis, type Random } from "../base/clock.ts";
import { CALLBACK_TIMEOUT } from "../protocol/constants.ts";
import type { Answer } from "./callback.ts";

/** `healthy`: its last attempt had an answer, whatever its status; `suspect`: it had none; `unknown`: no attempt is known. */
export const RECEIVER_HEALTHS = ["healthy", "unknown", "suspect"] as const;
export type ReceiverHealth = (typeof RECEIVER_HEALTHS)[number];

/** What is known of a receiver (an origin) from its attempts. */
export interface Receiver {
  readonly origin: string;
  readonly health: Exclude<ReceiverHealth, "unknown">;
  /** Attempts in a row without an answer. */
  readonly failures: number;
  /** Until when no callback is sent to a suspect: then one is, which is the probe. */
  readonly resumeAt: Millis | null;
  /** When it was written last. */
  readonly at: Millis;
}

/** The pause before a suspect is probed: doubled with each probe that has no answer. */
const PROBE_BACKOFF = { initial: 5 * SECOND, max: 5 * MINUTE };
/** A receiver that is known to be healthy is written again after this time. */
const REFRESH_AFTER = HOUR;

/** What is known after an attempt; the same object if nothing changes. */
export function afterAttempt(
  origin: string,
  before: Receiver | null,
  { status }: Pick<Answer, "status">,
  now: Millis,
  random: Random,
): Receiver {
  if (status !== null) {
    if (before?.health === "healthy" && now - before.at < REFRESH_AFTER) return before;
    return { origin, health: "healthy", failures: 0, resumeAt: null, at: now };
  }
  // The attempts that were under way together fail together: they count as one failure.
  if (before?.health === "suspect" && now < (before.resumeAt ?? 0)) return before;
  const failures = (before?.failures ?? 0) + 1;
  const pause = quarterJitter(backoffPause(PROBE_BACKOFF, failures), random());
  return { origin, health: "suspect", failures, resumeAt: now + Math.round(pause), at: now };
}

/** How long an attempt waits that may take a place from others. */
const CALLBACK_SHORT_TIMEOUT: Millis = 5 * SECOND;
/** Every third probe waits as long as other attempts: a receiver that is slow and not dead is then heard. */
const LONG_PROBE_EVERY = 3;

/** How long an attempt waits for its answer. `isCrowded`: many other receivers are being tried that never answered. */
export function attemptTimeout(
  health: ReceiverHealth,
  failures: number,
  isCrowded: boolean,
): Millis {
  switch (health) {
    case "healthy":
      return CALLBACK_TIMEOUT;
    case "unknown":
      return isCrowded ? CALLBACK_SHORT_TIMEOUT : CALLBACK_TIMEOUT;
    case "suspect":
      return failures % LONG_PROBE_EVERY === 0 ? CALLBACK_TIMEOUT : CALLBACK_SHORT_TIMEOUT;
    default:
      return health satisfies never;
  }
}

/** How long an owner's callbacks to one receiver wait at most because it answered 429 or 503 with `Retry-After`. */
const HOLD_MAX: Millis = HOUR;

/** Until when a receiver asks an owner to send it nothing; null if it does not. */
export function holdUntil({ status, retryAfter }: Answer, now: Millis): Millis | null {
  if (retryAfter === null || retryAfter === 0 || (status !== 429 && status !== 503)) return null;
  return now + Math.min(retryAfter * SECOND, HOLD_MAX);
}
