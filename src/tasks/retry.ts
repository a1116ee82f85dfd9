import { backoffPause, equalJitter } from "../base/backoff.ts";
import type { Millis, Random } from "../base/clock.ts";
import type { Task } from "./task.ts";

/**
 * When a task whose attempts failed `failures` times is offered again. Equal jitter, so that no task returns at once
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
