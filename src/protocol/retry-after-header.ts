import { SECOND, type Millis } from "../base/clock.ts";
import { readHttpDate } from "../base/http-date.ts";

/** The longest time that a `retry_after` or a `Retry-After` header asks for. */
export const RETRY_AFTER_SECONDS_MAX = 86_400;

/**
 * A `Retry-After` header (RFC 9110 section 10.2.3) in seconds, from 0 to `RETRY_AFTER_SECONDS_MAX`: a longer time counts as the longest, a
 * date that has passed as 0, and what is neither seconds nor a date as no header (null). A date is compared with the time of the answer
 * by its sender's clock (`Date`), or with `now` if that is absent.
 */
export function readRetryAfter(headers: Pick<Headers, "get">, now: Millis): number | null {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(text)) return bounded(Number(text));
  const at = readHttpDate(text, now);
  if (at === null) return null;
  const sentAt = readHttpDate(headers.get("date")?.trim() ?? "", now) ?? now;
  return bounded(Math.ceil((at - sentAt) / SECOND));
}

const bounded = (seconds: number): number =>
  Math.min(Math.max(seconds, 0), RETRY_AFTER_SECONDS_MAX);
