import type { Millis } from "../../base/clock.ts";
import { textOfJson } from "../../base/json-text/json-text.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { RetryTask } from "../../protocol/http.ts";
import { restartedTask } from "../../tasks/restart.ts";
import { nextNumber } from "../../registry/after-restore.ts";
import { bytesOfInput } from "../../registry/task-rows.ts";
import { ownerKeyOf } from "../../tasks/owner-key.ts";
import { isEnded, type Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { afterAssignment, notFound, type Handler } from "../kernel/handler.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { awaitNextEnd } from "../webhooks/callback-registration.ts";
import { checkNotEnding } from "./end-owner.ts";
import { checkQueueLimit } from "./queue-limit.ts";
import { checkRoom } from "../storage/room.ts";
import { visibleTask } from "./submit.ts";
import { viewOf } from "./task-view.ts";

/** Attempts of before a retry that the history keeps, so that it stays bounded however often a task is retried. */
const ATTEMPTS_KEPT = 200;

/** Puts a task that has ended without success back into the queue. A task that has not ended is left as it is. */
export const retryTask: Handler<"retry_task"> = (context, { id, visibleTo, ...options }) => {
  const task = visibleTask(context, id, visibleTo);
  if (task === null) return notFound("task with this ID");
  const retried = isEnded(task.state) ? restartTask(context, task, options) : ok(undefined);
  return retried.ok ? afterAssignment(() => viewOf(context, id)) : retried;
};

/** Puts a task that has ended back into the queue, if it may and the queue has room. */
export function restartTask(
  context: Context,
  task: Task,
  options: RetryTask,
): Result<void, MusterError> {
  if (task.state === "succeeded")
    return err({ code: "task_ended", detail: "the task has succeeded: submit a new one" });
  const free = checkNotEnding(context, ownerKeyOf(task));
  if (!free.ok) return free;
  if (task.payloadDropped)
    return err({
      code: "payload_dropped",
      detail:
        "the task ended too long ago: its payload is not stored any more; submit a new task with the payload",
    });
  const queue = checkQueueLimit(context, task.owner, task);
  if (!queue.ok) return queue;
  const { registry, now } = context;
  const input = bytesOfInput(
    textOfJson(task.payload),
    JSON.stringify(task.requirements),
    task.trace,
  );
  const room = checkRoom(context, ownerKeyOf(task), input);
  if (!room.ok) return room;
  const { restoredAt } = registry.settings;
  const fence = nextNumber(task.lastFence, wasRestored(task, restoredAt) ? restoredAt : null);
  registry.tasks.restart(restartedTask(task, options, now, fence));
  if (!registry.cells.isSingle) registry.taskArrivals.restarted(task.id);
  registry.attempts.forgetUpTo(task.id, task.lastFence - ATTEMPTS_KEPT);
  awaitNextEnd(context, task);
  markWorkAvailable(context);
  return ok(undefined);
}

/** Whether the task is older than the restore: attempts of it may exist that this mesh does not know. */
const wasRestored = ({ createdAt }: Task, restoredAt: Millis | null): boolean =>
  restoredAt !== null && createdAt <= restoredAt;
