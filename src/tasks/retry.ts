import type { Millis, Random } from "../base/clock.ts";
import type { Task } from "./task.ts";

/** More of them reach any longest pause, and a pause of none must stay a number. */
const DOUBLINGS_MAX = 40;

/**
 * When a task that failed `tries` times is offered again: exponential backoff with equal jitter, so that tasks which
 * failed together do not return together, and none returns at once (unless its caller asked for no pause).
 */
export function retryAt(
  { backoffMs, backoffMaxMs }: Pick<Task, "backoffMs" | "backoffMaxMs">,
  tries: number,
  now: Millis,
  random: Random,
): Millis {
  const pause = Math.min(
    backoffMaxMs,
    backoffMs * 2 ** Math.min(Math.max(0, tries - 1), DOUBLINGS_MAX),
  );
  return now + Math.ceil(pause * (0.5 + random() / 2));
}
