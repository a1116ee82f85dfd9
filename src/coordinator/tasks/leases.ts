import type { Millis } from "../../base/clock.ts";
import { retryAt } from "../../tasks/retry.ts";
import type { AttemptState, Task } from "../../tasks/task.ts";
import { scheduleCallback } from "../webhooks/callback-registration.ts";
import type { Context } from "../kernel/context.ts";
import { sessionOf, recordAttemptEnd, type Outcome } from "../peers/scored-peers.ts";
import { shownTo } from "./task-view.ts";
import { markWorkAvailable } from "../kernel/marks.ts";

/** How an attempt ended without finishing the task. */
export interface Loss {
  readonly state: Extract<AttemptState, "failed" | "refused" | "lost" | "reclaimed">;
  readonly error: string;
  readonly outcome: Outcome;
  /** Whether it counts against the attempts allowed. A refusal does not, because nothing was tried. */
  readonly counts: boolean;
  /** False when the peer says that another attempt cannot succeed. */
  readonly retry: boolean;
  /** How much longer than usual the task waits before it is offered again. */
  readonly pause?: Millis;
  /** Set when the peer did not end the attempt itself: if it still runs the task, it must stop. */
  readonly stopPeer?: true;
}

/** Number of refusals after which a task fails, so that its history stays bounded. */
const REFUSALS_MAX = 200;

/** Ends the current attempt. Puts the task back into the queue, or fails it when its attempts are used up. */
export function releaseAttempt(context: Context, task: Task, loss: Loss): void {
  if (task.peerId === null) return;
  const { registry, now, random } = context;
  registry.attempts.end(task.id, task.fence, loss.state, now, loss.error);
  recordAttemptEnd(context, task.peerId, loss.outcome);
  if (loss.stopPeer) orderStop(context, task, loss.error);
  const attemptsUsed = task.attemptsUsed + Number(loss.counts);
  const unwanted =
    loss.state === "refused" && registry.attempts.count(task.id, "refused") >= REFUSALS_MAX;
  if (!loss.retry || attemptsUsed >= task.maxAttempts || unwanted) {
    endTask(context, { ...task, attemptsUsed, error: loss.error }, "failed");
    return;
  }
  markWorkAvailable(context);
  registry.tasks.update({
    ...task,
    attemptsUsed,
    state: "queued",
    peerId: null,
    leaseUntil: null,
    prefetched: false,
    progress: null,
    message: null,
    error: loss.error,
    // Another peer may get a refused task at once. A failed task waits, so that it does not use up its attempts at
    // once.
    notBefore: (loss.counts ? retryAt(task, attemptsUsed, now, random) : now) + (loss.pause ?? 0),
  });
}

/** Ends a task and informs the callers that wait for it. The caller of this function has written the attempt's end. */
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
  if (task.source === "peer") informSubmitter(context, task);
}

/** Informs the peer that submitted the task of its end. A peer that is not connected asks when it reconnects. */
function informSubmitter(context: Context, { id, owner }: Task): void {
  const giver = context.registry.peers.get(owner);
  const to = giver === null ? null : sessionOf(giver);
  if (to !== null) context.effects.push({ type: "report", to, shown: shownTo(context, owner, id) });
}

/** Cancels the attempt of a task whose result is not wanted any more, and tells the peer to stop. */
export function cancelAttempt(context: Context, task: Task, reason: string): void {
  endHeldAttempt(context, task, "cancelled", reason);
}

/** Takes a task that its peer has not begun back into the queue. */
export function reclaim(context: Context, task: Task, reason: string): void {
  endHeldAttempt(context, task, "reclaimed", reason);
  context.registry.tasks.update({
    ...task,
    state: "queued",
    peerId: null,
    leaseUntil: null,
    prefetched: false,
    message: null,
  });
}

function endHeldAttempt(
  context: Context,
  task: Task,
  state: "cancelled" | "reclaimed",
  reason: string,
): void {
  if (task.peerId === null || task.leaseUntil === null) return;
  context.registry.attempts.end(task.id, task.fence, state, context.now, reason);
  recordAttemptEnd(context, task.peerId, "none");
  orderStop(context, task, reason);
}

/** Tells the peer of the newest attempt, if it is connected, that it does not hold the task any more. */
function orderStop({ registry, effects }: Context, task: Task, reason: string): void {
  const peer = registry.peers.get(task.peerId ?? "");
  const to = peer === null ? null : sessionOf(peer);
  if (to !== null) effects.push({ type: "cancel", to, taskId: task.id, fence: task.fence, reason });
}

/** Releases every task that a disconnected peer held. They wait for `pause` before other peers get them. */
export function releaseAll(
  context: Context,
  peerId: string,
  error: string,
  pause: Millis = 0,
): void {
  for (const id of context.registry.tasks.heldBy(peerId))
    releaseLost(context, context.registry.tasks.get(id) as Task, error, pause);
}

/**
 * Releases one task because its peer does not have it any more. A task that the peer had not begun was not attempted.
 */
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

/**
 * Releases a task whose peer gives it up, without a failure of either. `begun`: whether the peer may have begun it.
 * `stopPeer` is set when the peer did not give it up by itself.
 */
export function releaseAbandoned(
  context: Context,
  task: Task,
  { error, begun, stopPeer }: { error: string; begun: boolean } & Pick<Loss, "stopPeer">,
): void {
  releaseAttempt(context, task, {
    state: begun ? "lost" : "reclaimed",
    error,
    outcome: "none",
    counts: false,
    retry: true,
    ...(stopPeer && { stopPeer }),
  });
}
