import { SECOND, type Millis } from "../../base/clock.ts";
import { attemptEndsAt, leaseEndsAt } from "../../tasks/lease.ts";
import { isEnded, type Attempt, type AttemptState, type Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { savePeer } from "../peers/scored-peers.ts";
import { orderStop, reclaim } from "./leases.ts";

/** The attempt that a message is about. */
export interface AttemptOf {
  readonly taskId: string;
  readonly fence: number;
  readonly peerId: string;
}

/** A message that only says that the peer is at work, or one that brings the work's outcome. */
export type Said = "at_work" | "outcome";

/**
 * Resumes an attempt that the mesh has given up, while no other peer has begun the task since: begun work is not voided
 * by an offer that nobody accepted. Returns the task as the peer holds it again; null when the attempt stays given up.
 */
export function resumeAttempt(context: Context, of: AttemptOf, said: Said): Task | null {
  const { registry, now } = context;
  const task = registry.tasks.get(of.taskId);
  if (task === null || isEnded(task.state) || task.state === "running") return null;
  if (now >= task.deadlineAt || registry.peers.get(of.peerId) === null) return null;
  const attempts = registry.attempts.of(of.taskId);
  const attempt = attempts.find(({ fence }) => fence === of.fence);
  if (attempt?.peerId !== of.peerId || !mayResume(task, attempt, attempts, now)) return null;
  // The peer gets the newer offer before any answer, and continues its work under that one.
  if (task.peerId === of.peerId && said === "at_work") return null;
  takeBack(context, task, of.peerId);
  return reopen(context, registry.tasks.get(task.id) ?? task, attempt);
}

/** Whether an attempt of a queued task was given up whose peer, which has its record here and was not revoked, may still bring the result. */
export const mayStillResume = (
  { registry, now }: Pick<Context, "registry" | "now">,
  task: Task,
  attempts: readonly Attempt[],
): boolean =>
  attempts.some((attempt) => {
    const isLate = attempt.state === "unanswered" && now >= (attempt.endedAt ?? 0) + LATE_OFFER_MAX;
    const peer = registry.peers.get(attempt.peerId);
    const mayReturn = peer !== null && peer.state !== "revoked";
    return mayReturn && !isLate && mayResume(task, attempt, attempts, now);
  });

/** An offer that was given up is not expected to be accepted after this time, although it may be. */
const LATE_OFFER_MAX: Millis = 10 * SECOND;

function mayResume(task: Task, attempt: Attempt, all: readonly Attempt[], now: number): boolean {
  if (attempt.retries !== task.retries) return false; // an attempt of before the task was retried
  if (all.some(({ fence, begunAt }) => fence > attempt.fence && begunAt !== null)) return false;
  if (MAY_RETURN.has(attempt.state))
    return now < attemptEndsAt(task, attempt.begunAt ?? attempt.startedAt);
  // The offer reached the peer late. Whoever had begun the task before may return with its result.
  return (
    attempt.state === "unanswered" &&
    !all.some(({ state, peerId }) => MAY_RETURN.has(state) && peerId !== attempt.peerId)
  );
}

/** States of given up attempts whose peer may still be at work. */
const MAY_RETURN: ReadonlySet<AttemptState> = new Set(["lost", "timed_out"]);

/** Takes the task back from the peer that was offered it since. */
function takeBack(context: Context, task: Task, returning: string): void {
  if (task.peerId === null) return;
  const reason = "its earlier holder has returned";
  if (task.peerId !== returning) return reclaim(context, task, reason);
  // The peer would stop the work that it has just reported, if it was told to stop.
  reclaim(context, task, reason, "without_order");
}

function reopen(context: Context, task: Task, attempt: Attempt): Task {
  const { registry, now } = context;
  const { taskId, fence, peerId } = attempt;
  registry.attempts.reopen(taskId, fence, now);
  const peer = registry.peers.get(peerId);
  if (peer !== null) savePeer(context, { ...peer, held: peer.held + 1 });
  const attemptUntil = attemptEndsAt(task, attempt.begunAt ?? now);
  const resumed: Task = {
    ...task,
    state: "running",
    fence,
    peerId,
    attemptUntil,
    leaseUntil: leaseEndsAt({ ...task, attemptUntil }, now),
    // It was counted when the attempt was given up.
    attemptsUsed: task.attemptsUsed - Number(attempt.state === "timed_out"),
    interruptions: task.interruptions - Number(attempt.state === "lost"),
    notBefore: now,
    error: null,
  };
  registry.tasks.update(resumed);
  return resumed;
}

/**
 * A peer has accepted an offer: peers whose earlier attempts were given up, and who may still be at work, are told to stop.
 */
export function stopEarlierAttempts(context: Context, task: Task): void {
  if (task.lastFence === 1) return;
  for (const { fence, peerId, state } of context.registry.attempts.of(task.id)) {
    if (MAY_RETURN.has(state) && fence < task.fence && peerId !== task.peerId)
      orderStop(context, { id: task.id, peerId, fence }, "another peer has accepted the task");
  }
}
