import type { LogValues } from "../../base/log/log-fields.ts";
import type { Task } from "../../tasks/task.ts";
import { traceIdOf } from "./sampling.ts";

/** The fields of a log line about a task. By its trace ID the line is found beside the spans of the task. */
export const taskFields = (
  task: Pick<Task, "id" | "kind" | "trace">,
): LogValues<"task" | "kind" | "trace"> => ({
  task: task.id,
  kind: task.kind,
  trace: traceIdOf(task),
});
