import { backoffPause, equalJitter, fullJitter } from "../../base/backoff.ts";
import { SECOND, type Millis, type Random } from "../../base/clock.ts";
import { MusterApiError } from "../errors.ts";
import { HTTP_RETRIES, HTTP_RETRY_AFTER_MAX, HTTP_RETRY_BASE, HTTP_RETRY_CAP } from "../timings.ts";

export interface RetryPolicy {
  readonly random: Random;
  /** Aborts at every moment, also during a delay: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The call goes on while the mesh gives no answer, for this long; 0 retries a few times only. */
  readonly outageMs?: Millis | undefined;
  /** How long the mesh may be silent because it was asked to wait. */
  readonly wait?: Millis | undefined;
}

/** One of the tries of a request. */
export interface Attempt {
  /** How long the mesh may still be silent; null as long as it is not known to be out of reach. */
  readonly outageLeft: Millis | null;
}

/**
 * The delay before an idempotent request is retried; null if it should not be. Only an unreachable or busy mesh (no
 * answer, 429, 503, 507, a proxy's 502 and 504) is worth a retry. `attempts` counts the requests made so far.
 */
export function retryDelay(error: unknown, attempts: number, random: number): Millis | null {
  if (!(error instanceof MusterApiError) || attempts > HTTP_RETRIES) return null;
  const { status } = error;
  if (!isOutage(error) && ![0, 429, 503, 507].includes(status)) return null;
  const retryAfter = (error.retryAfter ?? 0) * SECOND;
  if (retryAfter > HTTP_RETRY_AFTER_MAX) return null;
  return retryAfter + fullJitter(pauseAfter(attempts), random);
}

/** The delay during an outage of which `left` milliseconds may still pass; null if the call has to give up. */
export function outageDelay(
  error: unknown,
  failures: number,
  left: Millis,
  random: number,
): Millis | null {
  if (!isOutage(error)) return null;
  const least = ((error as MusterApiError).retryAfter ?? 0) * SECOND;
  if (left <= 0 || least > left) return null;
  return Math.min(left, least + equalJitter(pauseAfter(failures), random));
}

/** The pause after so many failures in a row, without jitter. */
export const pauseAfter = (failures: number): Millis =>
  backoffPause({ initial: HTTP_RETRY_BASE, max: HTTP_RETRY_CAP }, failures);

/** Statuses of a proxy whose server does not answer; those from 520 are Cloudflare's. */
const PROXY_STATUSES: readonly number[] = [502, 503, 504, 520, 521, 522, 523, 524];
/** Codes by which a mesh says that it can't answer for now. */
const OUTAGE_CODES: readonly string[] = ["unreachable", "mesh_restarting", "unavailable"];

/** Whether the mesh did not answer, as during a restart. Whatever else it answers concerns the request. */
export const isOutage = (error: unknown): boolean =>
  error instanceof MusterApiError &&
  (OUTAGE_CODES.includes(error.code) ||
    (error.code === "invalid_response" && PROXY_STATUSES.includes(error.status)));

/** Calls `work` until it succeeds or its error should not be retried. */
export async function withRetries<T>(
  work: (attempt: Attempt) => Promise<T>,
  { random, signal, outageMs = 0, wait = 0 }: RetryPolicy,
): Promise<T> {
  const outage = { began: null as Millis | null, failures: 0 };
  const leftAt = (now: Millis): Millis | null =>
    outage.began === null ? null : outage.began + outageMs - now;
  for (let answers = 0; ;) {
    signal?.throwIfAborted();
    const startedAt = performance.now();
    try {
      return await work({ outageLeft: leftAt(startedAt) });
    } catch (error) {
      let delay: Millis | null;
      if (outageMs > 0 && isOutage(error)) {
        const now = performance.now();
        outage.began ??= Math.min(now, startedAt + wait);
        delay = outageDelay(error, ++outage.failures, leftAt(now) ?? 0, random());
      } else {
        Object.assign(outage, { began: null, failures: 0 });
        delay = retryDelay(error, ++answers, random());
      }
      if (delay === null) throw error;
      await delayFor(delay, signal);
    }
  }
}

/** Resolves after `delay`; rejects with the signal's reason if the signal aborts first. */
export function delayFor(delay: Millis, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, delay);
    signal?.addEventListener("abort", aborted, { once: true });
    if (signal?.aborted === true) aborted();
    function done(): void {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }
    function aborted(): void {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    }
  });
}

/** The same promise, which rejects with the signal's reason if the signal aborts first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
