import { SECOND, type Millis } from "../../base/clock.ts";
import { failsProbe } from "../../tasks/circuit.ts";
import { ranFor } from "../../tasks/held-share.ts";
import { retryAt } from "../../tasks/retry.ts";
import type { AttemptState, Task } from "../../tasks/task.ts";
import { logLine } from "../kernel/log.ts";
import { taskFields } from "../tracing/log-fields.ts";
import { reportToHome, returnPermit } from "../moves/owners.ts";
import { queueTaskSpans } from "../tracing/queue-spans.ts";
import { scheduleCallback } from "../webhooks/callback-registration.ts";
import type { Context } from "../kernel/context.ts";
import {
  countOutcomeOf,
  sessionOf,
  recordAttemptEnd,
  type Outcome,
} from "../peers/scored-peers.ts";
import { countAttemptEnd, countTaskEnd } from "../metrics/task-counts.ts";
import { noteFailure, noteRefusal } from "./attempt-evidence.ts";
import { countedFor, givenUpShare, isOpen } from "./time-held.ts";
import { shownTo } from "./task-view.ts";
import { markWorkAvailable } from "../kernel/marks.ts";

/** How an attempt ended without finishing the task. */
export interface Loss {
  readonly state: Extract<
    AttemptState,
    "failed" | "timed_out" | "refused" | "unanswered" | "lost" | "abandoned" | "reclaimed"
  >;
  readonly error: string;
  readonly outcome: Outcome;
  /**
   * The budget that it counts against: the attempts for a failure of work, the interruptions when infrastructure ended
   * begun work; null when nothing was begun.
   */
  readonly counts: "attempt" | "interruption" | null;
  /** False when the peer says that another attempt cannot succeed. */
  readonly retry: boolean;
  /** How much longer than usual the task waits before it is offered again. */
  readonly pause?: Millis;
  /** Set when the peer did not end the attempt itself: if it still runs the task, it must stop. */
  readonly stopPeer?: true;
  /** How much of its outcome the attempt counts, 0..1 (`timeoutShare`). Absent: all of it. */
  readonly share?: number;
}

/** Ends the current attempt. Puts the task back into the queue, or fails it when a budget is used up. */
export function releaseAttempt(context: Context, task: Task, loss: Loss): void {
  if (task.peerId === null) return;
  const { registry, now } = context;
  registry.attempts.end(task.id, task.fence, loss.state, now, loss.error);
  countAttemptEnd(context, task, loss.state);
  const { share = 1 } = loss;
  // What a peer gives up is a matter of its circuit, too, when it counts as a timeout.
  const isFailure =
    loss.counts === "attempt" || (loss.state === "abandoned" && loss.outcome === "timeout");
  const counted =
    isFailure && share > 0 ? noteFailure(context, task, { error: loss.error, share }) : share;
  recordAttemptEnd(context, task.peerId, share > 0 ? loss.outcome : "none", counted);
  if (loss.stopPeer) orderStop(context, task, loss.error);
  if (loss.state === "refused")
    registry.attempts.countRefusals({ taskId: task.id, peerId: task.peerId, fence: task.fence });
  if (loss.outcome === "refusal") noteRefusal(context, task, loss.error);
  const attemptsUsed = task.attemptsUsed + Number(loss.counts === "attempt");
  const interruptions = task.interruptions + Number(loss.counts === "interruption");
  const spent = { ...task, attemptsUsed, interruptions };
  if (interruptions > task.maxInterruptions) {
    const error = `interrupted ${interruptions} times, the last time because: ${loss.error}`;
    endTask(context, { ...spent, error }, "failed");
    return;
  }
  if (!loss.retry || attemptsUsed >= task.maxAttempts) {
    endTask(context, { ...spent, error: loss.error }, "failed");
    return;
  }
  markWorkAvailable(context);
  if (attemptsUsed > task.attemptsUsed) registry.taskMoveClock.hurry(now);
  registry.tasks.update({
    ...spent,
    state: "queued",
    peerId: null,
    leaseUntil: null,
    attemptUntil: null,
    prefetched: false,
    progress: null,
    message: null,
    error: loss.error,
    notBefore: againAt(context, spent, loss),
  });
}

/**
 * When the task may be offered again. Another peer may get a task at once that nobody had begun, or that its peer gave up because it leaves. Any other task waits, so
 * that it does not use up a budget at once: it may be the cause.
 */
function againAt({ now, random }: Context, task: Task, { counts, state, pause = 0 }: Loss): Millis {
  if (counts === null || state === "abandoned") return now + pause;
  const failures = counts === "attempt" ? task.attemptsUsed : task.interruptions;
  return retryAt(task, failures, now, random) + pause;
}

/** Ends a task and informs the callers that wait for it. The caller of this function has written the attempt's end. */
export function endTask(
  context: Context,
  task: Task,
  state: "succeeded" | "failed" | "cancelled" | "expired",
): void {
  const { registry, now, effects } = context;
  registry.tasks.update({
    ...task,
    state,
    endedAt: now,
    leaseUntil: null,
    attemptUntil: null,
    prefetched: false,
  });
  countTaskEnd(context, task, state);
  queueTaskSpans(context, task);
  if (state === "failed" || state === "expired")
    logLine(context, "task.failed", { ...taskFields(task), state, attempts: task.attemptsUsed });
  markWorkAvailable(context);
  effects.push({ type: "task_ended", taskId: task.id });
  scheduleCallback(context, task);
  returnPermit(context, task);
  if (task.source === "peer") informSubmitter(context, task);
}

/** Informs the peer that submitted the task of its end. A peer that is not connected asks when it reconnects. */
function informSubmitter(context: Context, { id, owner }: Task): void {
  const giver = context.registry.peers.get(owner);
  const to = giver === null ? null : sessionOf(giver);
  if (to !== null) context.effects.push({ type: "report", to, shown: shownTo(context, owner, id) });
  if (giver === null) reportToHome(context, { owner, id });
}

/**
 * Cancels the attempt of a task whose result is not wanted any more, and tells the peer to stop. What it has not done by then counts as a part
 * of a timeout, or as a refusal if it has not begun although it could have.
 *
 * @param by who has ended it: a caller may want another task instead, long before the peer should have been done
 */
export function cancelAttempt(
  context: Context,
  task: Task,
  reason: string,
  by: "caller" | "deadline",
): void {
  if (task.peerId === null || task.leaseUntil === null) return;
  const counted = countedFor(context, task);
  endHeldAttempt(context, task, "cancelled", reason);
  if (counted === null) return;
  const { outcome, share } = counted;
  if (task.state === "running") {
    const seconds = Math.round(ranFor(task, context.now) / SECOND);
    const weight = noteFailure(context, task, {
      error: `not done after ${seconds} s: ${reason}`,
      share,
      endedEarly: by === "caller" && !failsProbe(share),
    });
    countOutcomeOf(context, task.peerId, outcome, weight);
    return;
  }
  if (outcome === "refusal") noteRefusal(context, task, `not begun: ${reason}`);
  countOutcomeOf(context, task.peerId, outcome, share);
}

/** Whether the peer is told to stop. */
type Order = "with_order" | "without_order";

/** Takes a task that nobody has begun back from the peer that holds it, into the queue. */
export function reclaim(
  context: Context,
  task: Task,
  reason: string,
  order: Order = "with_order",
): void {
  endHeldAttempt(context, task, "reclaimed", reason, order);
  context.registry.tasks.update({
    ...task,
    state: "queued",
    peerId: null,
    leaseUntil: null,
    attemptUntil: null,
    prefetched: false,
    message: null,
  });
}

function endHeldAttempt(
  context: Context,
  task: Task,
  state: "cancelled" | "reclaimed",
  reason: string,
  order: Order = "with_order",
): void {
  if (task.peerId === null || task.leaseUntil === null) return;
  context.registry.attempts.end(task.id, task.fence, state, context.now, reason);
  countAttemptEnd(context, task, state);
  recordAttemptEnd(context, task.peerId, "none");
  if (order === "with_order") orderStop(context, task, reason);
}

/** Tells the peer of an attempt, if it is connected, that it does not hold the task any more. */
export function orderStop(
  { registry, effects }: Context,
  { id: taskId, peerId, fence }: Pick<Task, "id" | "peerId" | "fence">,
  reason: string,
): void {
  const peer = registry.peers.get(peerId ?? "");
  const to = peer === null ? null : sessionOf(peer);
  if (to !== null) effects.push({ type: "cancel", to, taskId, fence, reason });
}

/** How the tasks of a peer are released that has no session any more. */
export interface Release {
  /** How long they wait before other peers get them. */
  readonly pause?: Millis;
  /** Whether the mesh took the session away for reasons of its own: that says nothing about the peer. */
  readonly blameless?: boolean;
}

/** Releases every task that a disconnected peer held. */
export function releaseAll(
  context: Context,
  peerId: string,
  error: string,
  release: Release = {},
): void {
  for (const id of context.registry.tasks.heldBy(peerId))
    releaseLost(context, context.registry.tasks.get(id) as Task, error, release);
}

/**
 * Leaves a peer that will return the tasks that it has begun, under leases that last until then. Other peers get the rest.
 */
export function keepBegun(
  context: Context,
  peerId: string,
  reason: string,
  returnsBy: Millis,
): void {
  const { tasks } = context.registry;
  for (const id of tasks.heldBy(peerId)) {
    const task = tasks.get(id);
    if (task?.state === "leased") reclaim(context, task, reason);
    if (task?.state !== "running") continue;
    const until = Math.max(task.leaseUntil ?? 0, returnsBy);
    tasks.update({ ...task, leaseUntil: Math.min(until, task.attemptUntil ?? Infinity) });
  }
}

/**
 * Releases one task because its peer does not have it any more. A task that the peer had not begun was not attempted.
 */
export function releaseLost(
  context: Context,
  task: Task,
  error: string,
  { pause = 0, blameless = false }: Release = {},
): void {
  const begun = task.state === "running";
  releaseAttempt(context, task, {
    state: begun ? "lost" : "reclaimed",
    error,
    outcome: begun && !blameless ? "timeout" : "none",
    counts: begun ? "interruption" : null,
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
  const share = begun ? givenUpShare(context, task) : 0;
  const stays = begun && stopPeer === undefined && isOpen(context, task.peerId);
  releaseAttempt(context, task, {
    state: begun ? "abandoned" : "reclaimed",
    error,
    outcome: share > 0 ? "timeout" : stays ? "refusal" : "none",
    counts: begun ? "interruption" : null,
    retry: true,
    ...(stopPeer && { stopPeer }),
    ...(share > 0 && { share }),
  });
}
