import { utf8Length } from "../../base/bytes.ts";
import { jsonFlaw } from "../../base/json-text/flaw.ts";
import { textOfJson, type ExactJson } from "../../base/json-text/json-text.ts";
import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import { err, ok } from "../../base/result.ts";
import {
  ATTEMPT_TIMEOUT_DEFAULT,
  TASK_RESULT_BYTES_MAX,
  VALUE_DEPTH_MAX,
} from "../../protocol/constants.ts";
import { attemptEndsAt, leaseEndsAt } from "../../tasks/lease.ts";
import { isEnded, type AttemptState, type Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { isRepeated } from "./repeated-result.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { done, notFound, type Handler, type PlainHandler } from "../kernel/handler.ts";
import { claimedTask, heldTask, type Claim } from "./held-task.ts";
import { cancelAttempt, endTask, releaseAbandoned, releaseAttempt, type Loss } from "./leases.ts";
import { leavesUnbegun } from "./time-held.ts";
import { applyPeerEvent } from "../peers/lifecycle.ts";
import { commitUploaded, storedResult, succeed } from "./results.ts";
import { stopEarlierAttempts } from "./resume.ts";
import { disconnectPeer, peerOfSession } from "../admission/sessions.ts";
import { viewOf } from "./task-view.ts";
import { visibleTask } from "./submit.ts";

/** The peer begins the task, or queues it until a slot is free. From now on the lease counts. */
export const acceptTask: Handler<"accept_task"> = (context, claim) => {
  const task = claimedTask(context, claim);
  if (!task.ok) return task;
  if (claim.queued === true && takeUnbegun(context, task.value))
    return ok(leased(context, claim, context.now));
  // Tasks may have stayed queued because the peer had too many unanswered offers.
  if (context.registry.tasks.waiting.isWaitedFor(claim.peerId)) markWorkAvailable(context);
  return ok(leased(context, claim, renew(context, task.value, claim.queued === true)));
};

const leased = ({ registry }: Context, { peerId }: Claim, leasedUntil: Millis) => ({
  leasedUntil,
  held: registry.peers.get(peerId)?.held ?? 0,
});

/** Renews the lease by its whole length, as every sign of life does. Returns the time at which it ends. */
function renew(context: Context, task: Task, queued: boolean, said: Partial<Task> = {}): Millis {
  const { registry, now } = context;
  // A running task does not become queued at the peer again because of a message that came late.
  const waits = queued && task.state !== "running";
  const attemptUntil = waits ? null : (task.attemptUntil ?? attemptEndsAt(task, now));
  const leaseUntil = leaseEndsAt({ ...task, attemptUntil }, now);
  if (task.state !== "running" && !waits) stopEarlierAttempts(context, task);
  registry.tasks.update({
    ...task,
    ...said,
    state: waits ? "leased" : "running",
    prefetched: waits,
    attemptUntil,
    leaseUntil,
  });
  registry.attempts.setState(task.id, task.fence, waits ? "prefetched" : "running", now);
  return leaseUntil;
}

/** How long a peer may leave a task unbegun although it has a free slot. */
const BEGIN_TIMEOUT: Millis = MINUTE;

/**
 * Takes a task from a peer that reports once more that it has not begun it: a peer that has had a free slot for it meanwhile has refused it. One whose
 * slots are in use loses it when it has waited for as long as an attempt may usually take.
 */
function takeUnbegun(context: Context, task: Task): boolean {
  const { registry, now } = context;
  if (task.state === "running") return false;
  const since = registry.attempts.get(task.id, task.fence)?.startedAt ?? now;
  if (now - since < BEGIN_TIMEOUT) return false;
  if (leavesUnbegun(context, task, BEGIN_TIMEOUT)) {
    refuse(context, task, NOT_BEGUN, { stopPeer: true });
    return true;
  }
  if (now - since < Math.max(ATTEMPT_TIMEOUT_DEFAULT, task.attemptTimeoutMs)) return false;
  const error = "its peer has not begun it for as long as an attempt may take";
  releaseAbandoned(context, task, { error, begun: false, stopPeer: true });
  return true;
}

const NOT_BEGUN = `it was not begun within ${BEGIN_TIMEOUT / SECOND} s although a slot was free`;

export const refuseTask: Handler<"refuse_task"> = (context, claim) => {
  const task = claimedTask(context, claim);
  if (!task.ok) return task;
  refuse(context, task.value, claim.reason);
  return done;
};

/** The peer does not take the task: another one gets it, at once. */
export const refuse = (
  context: Context,
  task: Task,
  reason: string,
  order: Pick<Loss, "stopPeer"> = {},
): void =>
  releaseAttempt(context, task, {
    state: "refused",
    error: `refused: ${reason}`,
    outcome: "refusal",
    counts: null,
    retry: true,
    ...order,
  });

/** How often a peer may give the same task back without having begun it. More often is a refusal. */
const RETURNS_MAX = 3;

/** The peer gives a task up because it leaves or was asked to: another peer gets it, and nobody has failed. */
export const releaseTask: Handler<"release_task"> = (context, claim) => {
  const task = claimedTask(context, claim);
  if (!task.ok) return task;
  if (!claim.begun && returnsOf(context, claim) >= RETURNS_MAX) {
    refuse(context, task.value, claim.reason);
    return done;
  }
  releaseAbandoned(context, task.value, { error: claim.reason, begun: claim.begun });
  return done;
};

/** How often the peer has given the task back before. Otherwise it could get a task that it never begins for ever. */
const returnsOf = ({ registry }: Context, { peerId, taskId }: Claim): number =>
  registry.attempts
    .of(taskId)
    .filter((attempt) => attempt.peerId === peerId && RETURNED.has(attempt.state)).length;

const RETURNED: ReadonlySet<AttemptState> = new Set(["reclaimed", "refused"]);

export const progressTask: Handler<"progress_task"> = (context, claim) => {
  const task = claimedTask(context, claim);
  if (!task.ok) return task;
  if (claim.queued === true && takeUnbegun(context, task.value))
    return ok(leased(context, claim, context.now));
  const said = {
    progress: claim.progress ?? task.value.progress,
    message: claim.message ?? task.value.message,
  };
  return ok(leased(context, claim, renew(context, task.value, claim.queued === true, said)));
};

/**
 * Commits a result exactly once: only the peer that holds the task by the newest fence can do so. A result that is sent
 * again changes nothing, and is answered as the first was.
 */
export const finishTask: Handler<"finish_task"> = (
  context,
  { peerId, epoch, outcome, begunAt, forPeer },
) => {
  const claim = { peerId, epoch, taskId: outcome.task_id, fence: outcome.fence };
  const task = claimedTask(context, claim, "outcome");
  if (!task.ok) return isRepeated(context, peerId, outcome) ? done : task;
  if (!outcome.ok) {
    failAttempt(context, task.value, outcome.error, outcome.retry);
  } else if (outcome.uploaded !== undefined) {
    return commitUploaded(context, task.value, outcome.uploaded, outcome, { begunAt, forPeer });
  } else {
    const refused = resultFault(outcome.result);
    if (refused !== null) failAttempt(context, task.value, refused, false);
    else succeed(context, task.value, storedResult(context, task.value, outcome), begunAt);
  }
  return done;
};

/** Why a result can't be stored as it came; null if it can. It would be the same at another peer. */
function resultFault(result: ExactJson): string | null {
  const text = textOfJson(result);
  if (utf8Length(text) > TASK_RESULT_BYTES_MAX)
    return `the result is over ${TASK_RESULT_BYTES_MAX} bytes of JSON`;
  const flaw = jsonFlaw(text, "result", VALUE_DEPTH_MAX);
  return flaw === null ? null : `${flaw.path}: ${flaw.message}`;
}

const failAttempt = (context: Context, task: Task, error: string, retry: boolean): void =>
  releaseAttempt(context, task, {
    state: "failed",
    error,
    outcome: "failure",
    counts: "attempt",
    retry,
  });

/** The offer did not reach the peer. A peer whose session is gone becomes stale; a silent one becomes suspect. */
export const offerFailed: Handler<"offer_failed"> = (context, claim) => {
  const task = heldTask(context, claim);
  if (task.ok && task.value.state === "leased") {
    releaseAttempt(context, task.value, {
      // Without an answer of the session it is not known whether the offer has reached the peer.
      state: claim.session === "unknown" ? "unanswered" : "reclaimed",
      error: claim.reason,
      outcome: "none",
      counts: null,
      retry: true,
    });
  }
  markWorkAvailable(context);
  const peer = peerOfSession(context, claim.peerId, claim.epoch);
  if (peer !== null && claim.session === "gone") disconnectPeer(context, peer, claim.reason, true);
  if (peer !== null && claim.session === "silent") applyPeerEvent(context, peer, "missed_answer");
  return done;
};

export const cancelTask: PlainHandler<"cancel_task"> = (context, { id, visibleTo }) => {
  const task = visibleTask(context, id, visibleTo);
  if (task === null) return notFound("task with this ID");
  if (task.state === "cancelled") return ok(viewOf(context, id));
  if (isEnded(task.state))
    return err({ code: "task_ended", detail: `the task has already ${task.state}` });
  cancelOpenTask(context, task);
  return ok(viewOf(context, id));
};

/** Cancels a task that has not ended. */
export function cancelOpenTask(context: Context, task: Task): void {
  cancelAttempt(context, task, "cancelled by the caller", "caller");
  endTask(context, task, "cancelled");
}
