import type { RetryOptions } from "../client/index.ts";
import { countOption, numberOption } from "./args.ts";

/** The options of a retry that were given. */
export function readRetryOptions(values: {
  readonly "max-attempts"?: string | undefined;
  readonly deadline?: string | undefined;
}): RetryOptions {
  const maxAttempts = countOption("max-attempts", values["max-attempts"]);
  const deadlineSeconds = numberOption("deadline", values.deadline);
  return {
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(deadlineSeconds !== undefined && { deadlineSeconds }),
  };
}
