import { SECOND, type Millis, type Random } from "../../base/clock.ts";
import { fullJitter } from "../backoff.ts";
import { MusterApiError } from "../errors.ts";
import { HTTP_RETRIES, HTTP_RETRY_AFTER_MAX, HTTP_RETRY_BASE, HTTP_RETRY_CAP } from "../timings.ts";

/**
 * How long to wait before an idempotent request is made again; null when it should not be. The mesh was out of reach
 * or busy: everything else stays as wrong as it was.
 */
export function retryDelay(error: unknown, tries: number, random: number): Millis | null {
  if (!(error instanceof MusterApiError) || tries > HTTP_RETRIES) return null;
  if (error.status !== 0 && error.status !== 429 && error.status !== 503) return null;
  const asked = (error.retryAfter ?? 0) * SECOND;
  if (asked > HTTP_RETRY_AFTER_MAX) return null;
  return asked + fullJitter(tries - 1, random, HTTP_RETRY_BASE, HTTP_RETRY_CAP);
}

/** Does `work` until it succeeds or trying again is of no use. An aborted `signal` ends the waiting, too. */
export async function withRetries<T>(
  work: () => Promise<T>,
  random: Random,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const delay = retryDelay(error, tries, random());
      if (delay === null) throw error;
      await pause(delay, signal);
    }
  }
}

/** Settles after `delay`; rejects with the signal's reason if that comes first. */
export function pause(delay: Millis, signal: AbortSignal | undefined): Promise<void> {
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
