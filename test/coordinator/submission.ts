import type { SubmitInput } from "../../src/contract/tasks.ts";
import { SubmitTask, type SubmitTaskInput } from "../../src/protocol/http.ts";

/** The input of submit_task, as an API caller sends it. */
export const submission = (
  task: SubmitTaskInput,
  more: Partial<SubmitInput> = {},
): SubmitInput => ({
  task: SubmitTask.parse(task),
  source: "api",
  owner: "admin",
  idempotency: null,
  ...more,
});
