import { HELD_TASKS_MAX } from "../../protocol/constants.ts";
import type { HeldTask } from "../../protocol/messages.ts";
import { leaseEndsAt } from "../../tasks/lease.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { releaseLost } from "../tasks/leases.ts";
import { savePeer } from "../peers/scored-peers.ts";

/**
 * Resumes an attempt that was given up, if no other peer has got the task since: its fence is still the newest. The
 * work that the peer did meanwhile is not repeated.
 */
export function resumeAttempt(
  context: Context,
  taskId: string,
  fence: number,
  peerId: string,
): Task | null {
  const { registry, now } = context;
  const task = registry.tasks.get(taskId);
  const peer = registry.peers.get(peerId);
  if (task?.state !== "queued" || task.fence !== fence || peer === null) return null;
  if (now >= task.deadlineAt) return null;
  const attempt = registry.attempts.get(taskId, fence);
  if (attempt?.peerId !== peerId || attempt.state !== "lost") return null;
  registry.attempts.reopen(taskId, fence);
  savePeer(context, { ...peer, held: peer.held + 1 });
  const resumed: Task = {
    ...task,
    state: "running",
    peerId,
    leaseUntil: leaseEndsAt(task, now),
    attemptsUsed: task.attemptsUsed - 1, // it was counted when the attempt was given up
    notBefore: now,
    error: null,
  };
  registry.tasks.update(resumed);
  return resumed;
}

/**
 * Reconciles the tasks that a peer holds with those that it names when it reconnects. Named tasks continue. Tasks that
 * are leased to it but not named are released at once (the peer may have restarted unnoticed). A peer that sends no
 * list keeps its leases until they end.
 */
export function reconcileHeldTasks(
  context: Context,
  peerId: string,
  named: readonly HeldTask[] | undefined,
): void {
  if (named === undefined) return;
  const { registry } = context;
  for (const { task_id: taskId, fence } of named) resumeAttempt(context, taskId, fence, peerId);
  if (named.length >= HELD_TASKS_MAX) return; // the peer may hold more tasks than it could name
  const fences = new Map(named.map(({ task_id: taskId, fence }) => [taskId, fence]));
  for (const id of registry.tasks.heldBy(peerId)) {
    const task = registry.tasks.get(id) as Task;
    if (fences.get(id) !== task.fence)
      releaseLost(context, task, "its peer reconnected without it");
  }
}
