import type { TypedResponse } from "hono";
import { writeJson } from "../src/base/json-text/write-json.ts";
import type { GatewayCommandName, Input } from "../src/contract/commands.ts";
import { wireTask } from "../src/protocol/exact-tasks.ts";
import type { TaskView } from "../src/protocol/http.ts";
import type { AppContext } from "./context.ts";
import { respond } from "./problem.ts";

/** Answers with JSON in which each `JsonText` is written as it is. */
export const sendJson = <S extends 200 | 202>(
  c: AppContext,
  value: unknown,
  status: S,
): Response & TypedResponse<never, S, "json"> =>
  c.body(writeJson(value), status, { "Content-Type": "application/json" }) as never;

/** Answers with a task: its payload and its result as they came. */
export const sendTask = <S extends 200 | 202>(c: AppContext, task: TaskView, status: S) =>
  sendJson(c, wireTask(task), status);

/** The commands that answer with a task. */
type TaskCommand = "cancel_task" | "retry_task" | ("repeat_callback" & GatewayCommandName);

/** Sends the coordinator a command that answers with a task, and answers with the task. */
export async function forwardTask<K extends TaskCommand, S extends 200 | 202>(
  c: AppContext,
  command: K,
  input: Input<K>,
  status: S,
) {
  const task = await c.var.coordinator.call<TaskCommand>(command, input);
  return respond(c, task, (shown) => sendTask(c, shown, status));
}
