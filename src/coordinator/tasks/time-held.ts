import type { Millis } from "../../base/clock.ts";
import { takesTasks } from "../../peers/scheduling.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { usableSlots } from "../../tasks/eligibility.ts";
import { ranFor, timeoutShare, unansweredShare } from "../../tasks/held-share.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";

/* What the time says about a peer for which it has had a task that it has not done. */

/** What it counts that an attempt is cancelled now; null: nothing. */
export function countedFor(
  context: Context,
  task: Task,
): { readonly outcome: "timeout" | "refusal"; readonly share: number } | null {
  const { registry } = context;
  if (task.state === "running") {
    const share = shareOf(context, task);
    return share > 0 ? { outcome: "timeout", share } : null;
  }
  const waited = waitedFor(context, task);
  if (task.prefetched)
    return timeoutShare(waited, registry.kinds.get(task.kind).service) > 0 &&
      hasIdleSlot(context, task)
      ? { outcome: "refusal", share: 1 }
      : null;
  const share = unansweredShare(
    waited,
    registry.peers.get(task.peerId ?? "")?.rtt?.smoothedMs ?? 0,
  );
  return share > 0 ? { outcome: "timeout", share } : null;
}

/** How much of a timeout it counts that a peer has not done the task by now. */
export const shareOf = ({ registry, now }: Context, task: Task): number =>
  timeoutShare(ranFor(task, now), registry.kinds.get(task.kind).service);

/** How long ago the current attempt was offered. */
const waitedFor = ({ registry, now }: Context, { id, fence }: Task): Millis =>
  now - (registry.attempts.get(id, fence)?.startedAt ?? now);

/** Whether a peer has had a task for so long that it does not begin, although it has a free slot. */
export const leavesUnbegun = (context: Context, task: Task, after: Millis): boolean =>
  waitedFor(context, task) >= after && hasIdleSlot(context, task);

/** Whether the holder of a task runs fewer tasks than it can. */
function hasIdleSlot({ registry: { peers, tasks } }: Context, { peerId }: Task): boolean {
  const peer = peers.get(peerId ?? "");
  if (peer === null) return false;
  const running = tasks.heldBy(peer.id).filter((id) => tasks.get(id)?.state === "running");
  return running.length < usableSlots(peer);
}

/**
 * How much of a timeout it counts that a peer gives up begun work. Not at all when it leaves or the operator drains it, unless it had the
 * task for much longer than usual; otherwise a peer could hold tasks and give them up, one after another, for ever.
 */
export function givenUpShare(context: Context, task: Task): number {
  const share = shareOf(context, task);
  return share === 1 || isOpen(context, task.peerId) ? share : 0;
}

/** Whether a peer may get new tasks: neither it nor the operator has said otherwise. */
export const isOpen = ({ registry }: Context, peerId: PeerId | null): boolean => {
  const peer = registry.peers.get(peerId ?? "");
  return peer !== null && takesTasks(peer.scheduling);
};
