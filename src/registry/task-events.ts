import type { TaskEvent } from "../protocol/events.ts";
import type { TaskState } from "../protocol/http.ts";
import type { Task } from "../tasks/task.ts";
import { number, numberOrNull, text, textOrNull, type SqlRow } from "./sql.ts";

/** The fields of a task that decide whether a change of it is an event. */
export type TaskStatus = Pick<Task, "state" | "fence" | "progress" | "message">;

/** Characters of a progress message that an event holds. */
const MESSAGE_MAX = 256;

/**
 * The event of a change of a task; null when nothing changed that is one.
 *
 * @param before null for a new task
 */
export function taskEvent(task: Task, before: TaskStatus | null): TaskEvent | null {
  const entered = before === null || before.state !== task.state || before.fence !== task.fence;
  if (!entered && before.progress === task.progress && before.message === task.message) return null;
  return {
    type: entered ? `task.${task.state}` : "task.progress",
    task: task.id,
    kind: task.kind,
    owner: task.owner,
    peer: task.peerId,
    fence: task.fence,
    state: task.state,
    previous: before?.state ?? null,
    progress: task.progress,
    message: task.message?.slice(0, MESSAGE_MAX) ?? null,
  };
}

export const readStatus = (row: SqlRow): TaskStatus => ({
  state: text(row, "state") as TaskState,
  fence: number(row, "fence"),
  progress: numberOrNull(row, "progress"),
  message: textOrNull(row, "message"),
});
