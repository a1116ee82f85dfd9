import { NULL_JSON } from "../base/json-text/json-text.ts";
import type { Millis } from "../base/clock.ts";
import type { RetryTask } from "../protocol/http.ts";
import { queuePositionOf, waitsFrom } from "./queue-position.ts";
import type { Task } from "./task.ts";

/**
 * A task that has ended without success, put back into the queue: with all its attempts, and a deadline that is as far ahead as
 * the first one was. Its fence grows, so that no message about an attempt of before changes it.
 *
 * @param fence the task's next one
 */
export const restartedTask = (
  task: Task,
  options: RetryTask,
  now: Millis,
  fence: number,
): Task => ({
  ...task,
  state: "queued",
  retries: task.retries + 1,
  retriedAt: now,
  queuePosition: queuePositionOf(task.priority, now),
  notBefore: now,
  deadlineAt:
    now +
    (options.deadline_seconds === undefined
      ? task.deadlineAt - waitsFrom(task)
      : Math.round(options.deadline_seconds * 1_000)),
  endedAt: null,
  maxAttempts: options.max_attempts ?? task.maxAttempts,
  attemptsUsed: 0,
  interruptions: 0,
  attemptUntil: null,
  fence,
  lastFence: fence,
  leaseUntil: null,
  prefetched: false,
  peerId: null,
  progress: null,
  message: null,
  result: NULL_JSON,
  error: null,
});
