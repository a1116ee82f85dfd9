import type { RetryTask } from "../../protocol/http.ts";
import type { OptionNames } from "../known-options.ts";

export interface RetryOptions {
  /** Attempts allowed from now on; default: as many as the task had. */
  readonly maxAttempts?: number;
  /** The task expires if it has not ended this long after the retry; default: as long as its first deadline. */
  readonly deadlineSeconds?: number;
}

export const RETRY_OPTIONS: OptionNames<RetryOptions> = {
  maxAttempts: "number",
  deadlineSeconds: "number",
};

export const retryBody = ({ maxAttempts, deadlineSeconds }: RetryOptions): RetryTask => ({
  ...(maxAttempts !== undefined && { max_attempts: maxAttempts }),
  ...(deadlineSeconds !== undefined && { deadline_seconds: deadlineSeconds }),
});
