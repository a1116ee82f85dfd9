import { HELD_TASKS_MAX } from "../../protocol/constants.ts";
import type { HeldTask } from "../../protocol/messages.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { releaseLost } from "../tasks/leases.ts";
import { resumeAttempt } from "../tasks/resume.ts";

/**
 * Reconciles the tasks that a peer holds with those that it names when it reconnects. Tasks that are leased to it but not named are
 * released at once (the peer may have restarted unnoticed). Then named tasks continue, also under an earlier attempt than the one that was
 * just released: its offer did not reach the peer. A peer that sends no list keeps its leases until they end.
 */
export function reconcileHeldTasks(
  context: Context,
  peerId: string,
  named: readonly HeldTask[] | undefined,
): void {
  if (named === undefined) return;
  // A peer with so many tasks may hold more than it could name.
  if (named.length < HELD_TASKS_MAX) releaseOthers(context, peerId, named);
  for (const { task_id: taskId, fence } of named)
    resumeAttempt(context, { taskId, fence, peerId }, "at_work");
}

function releaseOthers(context: Context, peerId: string, named: readonly HeldTask[]): void {
  const { tasks } = context.registry;
  const fences = new Map(named.map(({ task_id: taskId, fence }) => [taskId, fence]));
  for (const id of tasks.heldBy(peerId)) {
    const task = tasks.get(id) as Task;
    if (fences.get(id) !== task.fence)
      releaseLost(context, task, "its peer reconnected without it");
  }
}
