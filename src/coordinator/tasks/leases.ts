import type { Millis } from "../../base/clock.ts";
import { retryAt } from "../../tasks/retry.ts";
import type { AttemptState, Task } from "../../tasks/task.ts";
import { scheduleCallback } from "../webhooks/callback-registration.ts";
import type { Context } from "../kernel/context.ts";
import { sessionOf, recordAttemptEnd, type Outcome } from "../peers/scored-peers.ts";
import { shownTo } from "./shown-task.ts";
import { markWorkAvailable } from "../kernel/marks.ts";

/** How an attempt came to its end without finishing the task. */
export interface Loss {
  readonly state: Extract<AttemptState, "failed" | "refused" | "lost" | "reclaimed">;
  readonly error: string;
  readonly outcome: Outcome;
  /** Whether it counts against the attempts allowed: a refusal does not, for nothing was tried. */
  readonly counts: boolean;
  /** False when the peer says that trying again is pointless. */
  readonly retry: boolean;
  /** How much longer than otherwise the task rests. */
  readonly pause?: Millis;
  /** Set when the peer has not let go by itself: if it still works on it, it shall stop. */
  readonly tellPeer?: true;
}

/** Refusals after which a task that nobody takes fails, so that no history grows without bound. */
const REFUSALS_MAX = 200;

/** Ends the current attempt and puts the task back into the queue, or fails it when it has had its tries. */
export function releaseAttempt(context: Context, task: Task, loss: Loss): void {
  if (task.peerId === null) return;
  const { registry, now, random } = context;
  registry.attempts.end(task.id, task.fence, loss.state, now, loss.error);
  recordAttemptEnd(context, task.peerId, loss.outcome);
  if (loss.tellPeer) tellToStop(context, task, loss.error);
  const tries = task.tries + Number(loss.counts);
  const unwanted =
    loss.state === "refused" && registry.attempts.count(task.id, "refused") >= REFUSALS_MAX;
  if (!loss.retry || tries >= task.maxAttempts || unwanted) {
    endTask(context, { ...task, tries, error: loss.error }, "failed");
    return;
  }
  markWorkAvailable(context);
  registry.tasks.update({
    ...task,
    tries,
    state: "queued",
    peerId: null,
    leaseUntil: null,
    prefetched: false,
    progress: null,
    message: null,
    error: loss.error,
    // Someone else may take a refused task at once; a failed one rests, lest it burn through its tries.
    notBefore: (loss.counts ? retryAt(task, tries, now, random) : now) + (loss.pause ?? 0),
  });
}

/** Brings a task to its end and tells whoever waits for it. The attempt's own end is the caller's to write. */
export function endTask(
  context: Context,
  task: Task,
  state: "succeeded" | "failed" | "cancelled" | "expired",
): void {
  const { registry, now, effects } = context;
  registry.tasks.update({ ...task, state, endedAt: now, leaseUntil: null, prefetched: false });
  markWorkAvailable(context);
  effects.push({ type: "task_ended", taskId: task.id });
  scheduleCallback(context, task.id);
  if (task.source === "peer") report(context, task);
}

/** A peer that gave the task hears of its end, if it is connected; else it asks when it is back. */
function report(context: Context, { id, owner }: Task): void {
  const giver = context.registry.peers.get(owner);
  const to = giver === null ? null : sessionOf(giver);
  if (to !== null) context.effects.push({ type: "report", to, shown: shownTo(context, owner, id) });
}

/** Takes a held task from its peer, because nobody wants its result any more, and tells the peer to stop. */
export function cancelAttempt(context: Context, task: Task, reason: string): void {
  takeBack(context, task, "cancelled", reason);
}

/** Takes a task that waits at a busy peer back into the queue, because another could begin it at once. */
export function reclaim(context: Context, task: Task): void {
  takeBack(context, task, "reclaimed", "another peer is free for it");
  context.registry.tasks.update({
    ...task,
    state: "queued",
    peerId: null,
    leaseUntil: null,
    prefetched: false,
    message: null,
  });
}

function takeBack(
  context: Context,
  task: Task,
  state: "cancelled" | "reclaimed",
  reason: string,
): void {
  if (task.peerId === null || task.leaseUntil === null) return;
  context.registry.attempts.end(task.id, task.fence, state, context.now, reason);
  recordAttemptEnd(context, task.peerId, "none");
  tellToStop(context, task, reason);
}

/** Whoever held the task by its newest fencing number, if it is connected, hears that it holds it no more. */
function tellToStop({ registry, effects }: Context, task: Task, reason: string): void {
  const peer = registry.peers.get(task.peerId ?? "");
  const to = peer === null ? null : sessionOf(peer);
  if (to !== null) effects.push({ type: "cancel", to, taskId: task.id, fence: task.fence, reason });
}

/** Releases everything that a peer held, because it is gone; all of it rests for `pause` before others get it. */
export function releaseAll(
  context: Context,
  peerId: string,
  error: string,
  pause: Millis = 0,
): void {
  for (const id of context.registry.tasks.heldBy(peerId))
    releaseLost(context, context.registry.tasks.get(id) as Task, error, pause);
}

/** Releases one task because its peer does not have it any more. What it had not begun was not tried. */
export function releaseLost(context: Context, task: Task, error: string, pause: Millis = 0): void {
  const begun = task.state === "running";
  releaseAttempt(context, task, {
    state: begun ? "lost" : "reclaimed",
    error,
    outcome: begun ? "timeout" : "none",
    counts: begun,
    retry: true,
    pause,
  });
}
