import { HELD_TASKS_MAX } from "../../protocol/constants.ts";
import type { HeldTask } from "../../protocol/messages.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { releaseLost } from "../tasks/leases.ts";
import { savePeer } from "../peers/scored-peers.ts";

/**
 * Gives an attempt back to the peer that had begun it and was given up, while nobody else has got the task since: its
 * fencing number is still the newest. What it did meanwhile is not done again.
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
    leaseUntil: now + task.leaseMs,
    tries: task.tries - 1, // it was counted when it was given up, and is not over
    notBefore: now,
    error: null,
  };
  registry.tasks.update(resumed);
  return resumed;
}

/**
 * Settles what a peer holds by what it says at its return: what it still works on goes on, and what is leased to it but
 * not named (it has started anew, perhaps, before anybody saw it go) is free for others at once. One that says nothing
 * of it renews its leases, or does not.
 */
export function reconcileHeldTasks(
  context: Context,
  peerId: string,
  named: readonly HeldTask[] | undefined,
): void {
  if (named === undefined) return;
  const { registry } = context;
  for (const { task_id: taskId, fence } of named) resumeAttempt(context, taskId, fence, peerId);
  if (named.length >= HELD_TASKS_MAX) return; // there may be more than it could name
  const fences = new Map(named.map(({ task_id: taskId, fence }) => [taskId, fence]));
  for (const id of registry.tasks.heldBy(peerId)) {
    const task = registry.tasks.get(id) as Task;
    if (fences.get(id) !== task.fence) releaseLost(context, task, "its peer came back without it");
  }
}
