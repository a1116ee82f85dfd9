import { backoffPause, fullJitter } from "../../base/backoff.ts";
import { SECOND, type Millis, type Random } from "../../base/clock.ts";
import { MusterApiError } from "../errors.ts";
import { HTTP_RETRIES, HTTP_RETRY_AFTER_MAX, HTTP_RETRY_BASE, HTTP_RETRY_CAP } from "../timings.ts";

/**
 * The delay before an idempotent request is retried; null if it should not be. Only an unreachable or busy mesh (no
 * answer, 429, 503, 507) is worth a retry. `attempts` counts the requests made so far.
 */
export function retryDelay(error: unknown, attempts: number, random: number): Millis | null {
  if (!(error instanceof MusterApiError) || attempts > HTTP_RETRIES) return null;
  if (error.status !== 0 && ![429, 503, 507].includes(error.status)) return null;
  const retryAfter = (error.retryAfter ?? 0) * SECOND;
  if (retryAfter > HTTP_RETRY_AFTER_MAX) return null;
  const pause = backoffPause({ initial: HTTP_RETRY_BASE, max: HTTP_RETRY_CAP }, attempts);
  return retryAfter + fullJitter(pause, random);
}

/** Calls `work` until it succeeds or its error should not be retried. Rejects when `signal` aborts during a delay. */
export async function withRetries<T>(
  work: () => Promise<T>,
  random: Random,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await work();
    } catch (error) {
      const delay = retryDelay(error, attempts, random());
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
