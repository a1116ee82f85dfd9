import type { Json } from "../../base/json.ts";
import type { TaskState, TaskView } from "../../protocol/http.ts";

/**
 * A task as the mesh shows it. `Result` is the caller's claim about the handler's return type; the SDK does not validate
 * it. `result` is null until the task has succeeded, and while the result must be fetched (`result_url`).
 */
export type Task<Result = Json> = Omit<TaskView, "result"> & { readonly result: Result | null };

const END_STATES: readonly TaskState[] = ["succeeded", "failed", "cancelled", "expired"];

/** True once the task is in an end state: `succeeded`, `failed`, `cancelled` or `expired`. */
export const hasEnded = ({ state }: Pick<TaskView, "state">): boolean => END_STATES.includes(state);
