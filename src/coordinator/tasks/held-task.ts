import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Peer } from "../../peers/peer.ts";
import { isHeld, type Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { notFound } from "../kernel/handler.ts";
import { admissionOf, peerOf } from "../peers/scored-peers.ts";
import { peerOfSession } from "../admission/sessions.ts";
import { resumeAttempt, type Said } from "./resume.ts";

/** The attempt that a message is about, and the session that sent the message. */
export interface Claim {
  readonly peerId: string;
  readonly epoch: number;
  readonly taskId: string;
  readonly fence: number;
}

/** The task, if this peer holds it by this fence now. A message about an older attempt changes nothing. */
export function heldTask(
  { registry, now }: Context,
  claim: Omit<Claim, "epoch">,
): Result<Task, MusterError> {
  const { peerId, taskId, fence } = claim;
  const task = registry.tasks.get(taskId);
  if (task === null) return notFound("task with this ID");
  const holds = isHeld(task.state) && task.fence === fence && task.peerId === peerId;
  // After the deadline nothing is accepted, also before the tick that ends the task.
  return holds && now < task.deadlineAt ? ok(task) : err(leaseLost(claim));
}

/**
 * Like `heldTask`, and also resumes an attempt that was given up if no other peer has begun the task since. Only the
 * peer's newest session counts: a message of an older one changes nothing.
 */
export function claimedTask(
  context: Context,
  claim: Claim,
  said: Said = "at_work",
): Result<Task, MusterError> {
  if (peerOfSession(context, claim.peerId, claim.epoch) === null) return err(leaseLost(claim));
  return heldOrResumed(context, claim, said);
}

/** The same for an upload that presents a ticket. */
export function taskOfTicket(
  context: Context,
  claim: Omit<Claim, "epoch">,
): Result<Task, MusterError> {
  const peer = workerOfTicket(context, claim.peerId);
  return peer.ok ? heldOrResumed(context, { ...claim, peerId: peer.value.id }, "outcome") : peer;
}

/**
 * The peer that presents a ticket of an attempt. Its session may be broken at the moment, so whether the mesh would still admit the peer
 * and let it work is checked here. A peer that has rotated its key meanwhile keeps its ticket.
 */
export function workerOfTicket(context: Context, peerId: string): Result<Peer, MusterError> {
  const peer = peerOf(context, peerId);
  if (peer === null)
    return err({
      code: "unauthorized",
      detail: "the peer of this ticket was removed from the mesh",
    });
  const admission = admissionOf(context, peer);
  if (!admission.ok) return admission;
  if (admission.value.role === "controller") {
    const detail = "this peer's allowlist entry does not let it run tasks any more";
    return err({ code: "forbidden", detail });
  }
  return ok(peer);
}

function heldOrResumed(
  context: Context,
  claim: Omit<Claim, "epoch">,
  said: Said,
): Result<Task, MusterError> {
  const task = heldTask(context, claim);
  if (task.ok) return task;
  const resumed = resumeAttempt(context, claim, said);
  return resumed === null ? task : ok(resumed);
}

const leaseLost = ({ taskId, fence }: Pick<Claim, "taskId" | "fence">): MusterError => ({
  code: "lease_lost",
  detail: `attempt ${fence} of task ${taskId} no longer holds it: stop working on it`,
});
