import { err, ok, type Result } from "../../base/result.ts";
import { QUEUE_MAX } from "../../protocol/constants.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Context } from "../kernel/context.ts";

/** Retry hint of a full queue, in seconds. */
const QUEUE_RETRY = 5;

/** Whether the queue has room for one more task. */
export const checkQueueLimit = ({ registry }: Context): Result<void, MusterError> =>
  registry.tasks.waiting.length < QUEUE_MAX
    ? ok(undefined)
    : err({
        code: "queue_full",
        detail: `${QUEUE_MAX} tasks are queued, the limit; retry later`,
        retryAfter: QUEUE_RETRY,
      });
