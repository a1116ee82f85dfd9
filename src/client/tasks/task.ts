import type { Json } from "../../base/json.ts";
import { textOfJson } from "../../base/json-text/json-text.ts";
import { ExactMembers } from "../../base/json-text/read-json.ts";
import type { TaskState, TaskView } from "../../protocol/http.ts";

/**
 * A task as the mesh shows it. `Result` is the caller's claim about the handler's return type; the SDK does not validate
 * it. `result` is null until the task has succeeded, and while the result must be fetched (`result_url`). `payload_text` and
 * `result_text` are the same two values exactly as they were written: parsing rounds long numbers.
 */
export type Task<Result = Json> = Omit<TaskView, "payload" | "result"> & {
  readonly payload: Json;
  readonly payload_text: string;
  readonly result: Result | null;
  readonly result_text: string;
  /** Fields that are empty (`error`: cut) because the session's frames are too small for them (`maxFrame`). Never over HTTP. */
  readonly omitted?: readonly string[];
};

/** The members of a task in an answer whose text is kept. */
export const TASK_TEXTS = new ExactMembers(["payload"], ["result"]);

/** A task that came from the mesh, with its payload and its result parsed. */
export function taskOf(view: TaskView): Task {
  const [payload, result] = [textOfJson(view.payload), textOfJson(view.result)];
  return {
    ...view,
    payload: JSON.parse(payload) as Json,
    payload_text: payload,
    result: JSON.parse(result) as Json,
    result_text: result,
  };
}

const END_STATES: readonly TaskState[] = ["succeeded", "failed", "cancelled", "expired"];

/** True once the task is in an end state: `succeeded`, `failed`, `cancelled` or `expired`. */
export const hasEnded = ({ state }: Pick<TaskView, "state">): boolean => END_STATES.includes(state);
