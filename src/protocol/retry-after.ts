import { z } from "zod";
import { RETRY_AFTER_SECONDS_MAX } from "./retry-after-header.ts";

export { readRetryAfter, RETRY_AFTER_SECONDS_MAX } from "./retry-after-header.ts";

/**
 * Seconds after which another try can succeed. Its receiver may set a timer by it, and any server can send it, so every other value (negative,
 * longer, not a number) counts as the longest: it must not cause a try that is earlier.
 */
export const RetryAfter = z
  .number()
  .min(0)
  .max(RETRY_AFTER_SECONDS_MAX)
  .catch(RETRY_AFTER_SECONDS_MAX)
  .meta({ type: "number", minimum: 0, maximum: RETRY_AFTER_SECONDS_MAX });
