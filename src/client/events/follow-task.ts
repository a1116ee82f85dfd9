import type { Millis } from "../../base/clock.ts";
import type { Api } from "../http/api.ts";
import { hasEnded, type Task } from "../tasks/task.ts";
import { TASK_POLL_INTERVAL } from "../timings.ts";
import type { TaskChanges } from "./task-changes.ts";

interface FollowedTask {
  /** The task, now or once it has ended, at most so many milliseconds later. */
  readonly read: (poll: Millis) => Promise<Task>;
  readonly changes: () => Promise<TaskChanges>;
  readonly signal: AbortSignal | undefined;
}

/** Yields a task as it is now, then after each change, until it has ended. */
export async function* followTask(
  id: string,
  { read, changes, signal }: FollowedTask,
): AsyncGenerator<Task, void, undefined> {
  let task = await read(0);
  yield task;
  if (hasEnded(task)) return;
  const watch = (await changes()).watch(id);
  try {
    for (let previous = JSON.stringify(task); ;) {
      const step = await watch.next(signal);
      task = await read(step === "poll" ? TASK_POLL_INTERVAL : 0);
      const current = JSON.stringify(task);
      if (current !== previous) yield task;
      if (hasEnded(task)) return;
      previous = current;
    }
  } finally {
    watch.stop();
  }
}

/** Only programs that follow a task which has not ended load what reads events. */
export async function loadTaskChanges(api: Api): Promise<TaskChanges> {
  const { TaskChanges: Changes } = await import("./loaded-later.ts");
  return new Changes(api);
}
