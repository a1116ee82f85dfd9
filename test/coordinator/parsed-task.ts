import type { Json } from "../../src/base/json.ts";
import { textOfJson } from "../../src/base/json-text/json-text.ts";
import type { TaskView } from "../../src/protocol/http.ts";

/** A task as its caller reads it. */
export type ParsedTask = Omit<TaskView, "payload" | "result"> & { payload: Json; result: Json };
export const parsed = ({ payload, result, ...task }: TaskView): ParsedTask => ({
  ...task,
  payload: JSON.parse(textOfJson(payload)) as Json,
  result: JSON.parse(textOfJson(result)) as Json,
});
