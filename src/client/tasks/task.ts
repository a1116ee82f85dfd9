import type { TaskState, TaskView } from "../../protocol/http.ts";

export type Task = TaskView;

const ENDED: readonly TaskState[] = ["succeeded", "failed", "cancelled", "expired"];

/** True once nothing will change about the task any more. */
export const hasEnded = (task: Task): boolean => ENDED.includes(task.state);
