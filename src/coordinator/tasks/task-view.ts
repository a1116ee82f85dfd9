import { newDownloadTicket } from "../../access/result-ticket.ts";
import type { TaskView } from "../../protocol/http.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { taskView } from "./views.ts";

/** The view of an existing task, as its caller sees it. */
export const viewOf = ({ registry }: Context, id: string): TaskView =>
  taskView(
    registry.tasks.get(id) as Task,
    registry.attempts.of(id),
    registry.callbacks.get(id),
    registry.taskResults.get(id),
  );

/**
 * Number of attempts that a peer is shown, the newest. With their errors, the payload and the result they fit a frame.
 */
const ATTEMPTS_SHOWN = 20;

/** The same for a peer that submitted the task over its session and has no token to fetch a large result with. */
export function shownTo(context: Context, peerId: string, id: string): PayloadOf<"task_shown"> {
  const whole = viewOf(context, id);
  const task = { ...whole, attempts: whole.attempts.slice(-ATTEMPTS_SHOWN) };
  if (task.result_url === null) return { task };
  return { task, ticket: newDownloadTicket(context.config.credentialKey, { taskId: id, peerId }) };
}
