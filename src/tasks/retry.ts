import { backoffPause, equalJitter } from "../base/backoff.ts";
import type { Millis, Random } from "../base/clock.ts";
import { REFUSAL_BACKOFF_INITIAL, REFUSAL_BACKOFF_MAX } from "../protocol/constants.ts";
import type { Attempt, Task } from "./task.ts";

/**
 * When a task is offered again whose attempts failed, or were interrupted, `failures` times. Equal jitter, so that no task returns at once
 * (unless its caller asked for no pause).
 */
export function retryAt(
  { backoffMs, backoffMaxMs }: Pick<Task, "backoffMs" | "backoffMaxMs">,
  failures: number,
  now: Millis,
  random: Random,
): Millis {
  const pause = backoffPause({ initial: backoffMs, max: backoffMaxMs }, failures);
  return now + equalJitter(pause, random());
}

/** Until when the peer of a refused attempt is not offered the task again. */
export const refusedUntil = ({ refusals, startedAt, endedAt }: RefusedAttempt): Millis =>
  (endedAt ?? startedAt) +
  backoffPause(
    { initial: REFUSAL_BACKOFF_INITIAL, max: REFUSAL_BACKOFF_MAX },
    Math.max(1, refusals),
  );

type RefusedAttempt = Pick<Attempt, "refusals" | "startedAt" | "endedAt">;
