import { HOUR, MINUTE, SECOND, type Millis } from "../../src/base/clock.ts";
import { ACCEPT_TIMEOUT } from "../../src/protocol/constants.ts";
import type { AuthMode, TaskState } from "../../src/protocol/http.ts";
import type { PeerId } from "../../src/protocol/ids.ts";
import type { Role } from "../../src/protocol/messages.ts";
import { present } from "../must.ts";
import {
  attemptOf,
  compareQueueOrder,
  isEnded,
  isHeld,
  isResumable,
  mayBeAtWork,
  refusalEnd,
  timeoutOf,
  type ModelAttempt,
  type ModelTask,
} from "./model-task.ts";
import { isConnected, suppressionOf, unknownPeer, type ModelPeer } from "./model-peer.ts";

export { isConnected, type ModelPeer } from "./model-peer.ts";

/** Sessions of a plain node that begin within this time of each other are flaps (GP41). */
const FLAP_INTERVAL: Millis = 30 * SECOND;

type End = Extract<TaskState, "succeeded" | "failed" | "cancelled" | "expired">;

/** The effects that a command is expected to have, other than offers. */
export interface Expected {
  readonly sessionsEnded: string[];
  readonly cancelled: string[];
  readonly tasksEnded: string[];
}

/**
 * A model of the coordinator's state that shares no code with it: plain objects and one method for each event. It does
 * not predict which peer gets a task; `compare-with-model.ts` checks whether an offer was permitted.
 */
export class Model {
  readonly peers = new Map<PeerId, ModelPeer>();
  readonly tasks = new Map<string, ModelTask>();
  mode: AuthMode = "open";
  now: Millis;
  expected: Expected = { sessionsEnded: [], cancelled: [], tasksEnded: [] };

  constructor(ids: readonly PeerId[], now: Millis) {
    this.now = now;
    for (const id of ids) this.peers.set(id, unknownPeer(id));
  }

  heldBy(id: PeerId): ModelTask[] {
    return [...this.tasks.values()].filter((task) => isHeld(task) && task.holder === id);
  }

  /**
   * The expected answer to a session with a claimed role, as in `expectedRole`. A plain node that took its peer over is to be taken over
   * again: another process seems to use its key (GP40).
   */
  expectedAdmission(peer: ModelPeer, claimed: Role): ReturnType<Model["expectedRole"]> {
    const isContested = isConnected(peer) && peer.tookOver && !peer.speaksMuster;
    return peer.hasRecord && isContested ? "key_in_use" : this.expectedRole(peer, claimed);
  }

  /** The expected answer to a claimed role: the role and whether the peer may assign tasks, or an error code. */
  expectedRole(
    { denied, allowlistRoles }: ModelPeer,
    claimed: Role,
  ): { role: Role; mayAssign: boolean } | string {
    if (denied) return "revoked";
    if (this.mode === "allowlist" && allowlistRoles === null) return "not_allowed";
    const granted = new Set((allowlistRoles ?? ["worker"]).flatMap(basicRoles));
    const asked = basicRoles(claimed);
    const mayWork = asked.includes("worker") && granted.has("worker");
    const mayAssign = asked.includes("controller") && granted.has("controller");
    if (mayWork) return { role: mayAssign ? "dual" : "worker", mayAssign };
    return claimed === "worker" ? "not_allowed" : { role: "controller", mayAssign };
  }

  join(
    peer: ModelPeer,
    announced: Pick<
      ModelPeer,
      "role" | "mayAssign" | "capabilities" | "kinds" | "slots" | "prefetch" | "speaksMuster"
    >,
  ) {
    const tookOver = peer.hasRecord && isConnected(peer);
    const flapped =
      peer.hasRecord && !announced.speaksMuster && this.now - peer.joinedAt < FLAP_INTERVAL;
    if (isConnected(peer)) this.#endSession(peer, "superseded");
    if (flapped) peer.silentAt = [...peer.silentAt, this.now];
    const state = flapped && suppressionOf(peer, this.now) > 0 ? "suspect" : "active";
    const session = { state, epoch: peer.epoch + 1, tookOver, joinedAt: this.now } as const;
    Object.assign(peer, announced, { hasRecord: true, ...session });
  }

  disconnect(peer: ModelPeer): void {
    if (isConnected(peer)) peer.state = "stale";
    for (const task of this.heldBy(peer.id)) this.#releaseLost(task);
  }

  becomeSuspect(peer: ModelPeer): void {
    if (peer.state !== "active") return;
    Object.assign(peer, { state: "suspect", silentAt: [...peer.silentAt, this.now] });
  }

  /** An answer makes a suspect peer active, unless it has fallen silent too often recently (LV9). */
  answer(peer: ModelPeer): void {
    const since = peer.silentAt.at(-1) ?? 0;
    if (peer.state === "suspect" && this.now - since >= suppressionOf(peer, this.now))
      peer.state = "active";
  }

  revoke(peer: ModelPeer): void {
    if (isConnected(peer)) this.#endSession(peer, "revoked");
    peer.denied = true;
    this.disconnect(peer);
    if (peer.hasRecord) peer.state = "revoked";
  }

  forget(peer: ModelPeer): void {
    if (isConnected(peer)) this.#endSession(peer, "forgotten");
    this.disconnect(peer);
    Object.assign(peer, {
      hasRecord: false,
      state: "discovered",
      successes: 0,
      failures: 0,
      unsureFailures: 0,
      silentAt: [],
    });
  }

  /** After a change of the allowlist or the auth mode: ends the peer's session if its role is no longer granted. */
  endSessionIfUnqualified(peer: ModelPeer): void {
    if (!peer.hasRecord) return;
    const standing = this.expectedRole(peer, peer.role);
    if (typeof standing !== "string" && standing.role === peer.role) {
      if (standing.mayAssign || !peer.mayAssign) {
        peer.mayAssign = standing.mayAssign;
        return;
      }
    }
    if (isConnected(peer)) this.#endSession(peer, "not_allowed");
    this.disconnect(peer);
  }

  recordOffer(task: ModelTask, peer: ModelPeer): void {
    const fence = ++task.lastFence;
    const { retries } = task;
    const [state, offeredAt] = ["open", this.now] as const;
    task.attempts.push({ fence, retries, peer: peer.id, state, offeredAt, begunAt: null });
    Object.assign(task, {
      state: "leased",
      fence,
      prefetched: !this.hasFreeSlot(peer),
      holder: peer.id,
      leaseUntil: this.now + ACCEPT_TIMEOUT,
    });
  }

  /** An accept or progress. The first sign that a peer is at work stops the peers that may still be, of earlier attempts. */
  renewLease(task: ModelTask, queued: boolean): void {
    const waits = queued && task.state !== "running";
    const attempt = this.#current(task);
    if (!waits && task.state !== "running") this.#stopEarlier(task);
    if (!waits) attempt.begunAt ??= this.now;
    const leaseUntil = Math.min(this.now + task.leaseMs, timeoutOf(task, attempt));
    const state = waits ? "leased" : "running";
    Object.assign(task, { state, prefetched: waits, leaseUntil });
  }

  acceptOrQueue(task: ModelTask, queued: boolean): void {
    if (!(queued && this.losesUnbegun(task))) this.renewLease(task, queued);
  }

  /** AS121: a peer says once more that it has not begun the task. Whether it loses the task. */
  losesUnbegun(task: ModelTask): boolean {
    const attempt = this.#current(task);
    const waited = this.now - attempt.offeredAt;
    if (task.state === "running" || waited < MINUTE) return false;
    const [peer, running] = [this.peers.get(attempt.peer), this.heldBy(attempt.peer)];
    const isIdle = running.filter(({ state }) => state === "running").length < (peer?.slots ?? 0);
    if (!isIdle && waited < Math.max(HOUR, task.attemptTimeoutMs)) return false;
    this.#orderStop(task, attempt);
    this.release(task, { how: isIdle ? "refused" : "reclaimed", countsAsFailure: false });
    return true;
  }

  /** AS122: a peer has not answered when it was asked for a task. */
  losesRecalled(task: ModelTask): void {
    this.#orderStop(task, this.#current(task));
    this.release(task, { how: "refused", countsAsFailure: false });
  }

  #stopEarlier(task: ModelTask): void {
    for (const earlier of task.attempts)
      if (mayBeAtWork(earlier) && earlier.fence < task.fence && earlier.peer !== task.holder)
        this.#orderStop(task, earlier);
  }

  #orderStop(task: ModelTask, { fence, peer: id }: Pick<ModelAttempt, "fence" | "peer">): void {
    const peer = this.peers.get(id);
    if (peer?.hasRecord === true && isConnected(peer))
      this.expected.cancelled.push(`${task.id} ${fence} ${id}`);
  }

  #current = (task: ModelTask): ModelAttempt => present(attemptOf(task, task.fence));

  /** Whether a message of a peer resumes an attempt that was given up. */
  canResume(task: ModelTask, peer: ModelPeer, fence: number, outcome: boolean): boolean {
    const attempt = attemptOf(task, fence);
    if (attempt?.peer !== peer.id || !peer.hasRecord || !isConnected(peer)) return false;
    return isResumable(task, attempt, this.now, outcome);
  }

  /** Whether the peer has reported before that the attempt succeeded, or failed. */
  hasReported(task: ModelTask, peer: ModelPeer, fence: number, success: boolean): boolean {
    const attempt = attemptOf(task, fence);
    return attempt?.peer === peer.id && attempt.state === (success ? "succeeded" : "failed");
  }

  /** The attempt goes on. A peer that was offered the task since is told that it does not hold it any more. */
  resume(task: ModelTask, fence: number): void {
    const attempt = present(attemptOf(task, fence));
    if (isHeld(task)) {
      const offered = this.#current(task);
      offered.state = "reclaimed";
      if (offered.peer !== attempt.peer) this.#orderStop(task, offered);
    }
    if (attempt.state === "timed_out") task.tries--;
    if (attempt.state === "lost") task.interruptions--;
    attempt.begunAt ??= this.now;
    attempt.state = "open";
    Object.assign(task, { state: "running", fence, holder: attempt.peer, notBefore: this.now });
    this.renewLease(task, false);
  }

  /** What a reconnecting peer says that it works on: what it holds, and attempts that were given up meanwhile. */
  workOf(peer: ModelPeer): { readonly task: ModelTask; readonly fence: number }[] {
    return [...this.tasks.values()].flatMap((task) => {
      if (isEnded(task)) return [];
      if (task.state === "running" && task.holder === peer.id) return [{ task, fence: task.fence }];
      const given = task.attempts.findLast((one) => one.peer === peer.id && mayBeAtWork(one));
      return given === undefined ? [] : [{ task, fence: given.fence }];
    });
  }

  /** The peer has reconnected and named its work: what it does not name is released, then what it names is resumed. */
  reconcileHeldTasks(peer: ModelPeer, named: ReturnType<Model["workOf"]>): void {
    for (const task of this.heldBy(peer.id)) {
      if (named.some((one) => one.task === task && one.fence === task.fence)) continue;
      this.#releaseLost(task);
    }
    for (const { task, fence } of named)
      if (this.canResume(task, peer, fence, false)) this.resume(task, fence);
  }

  #releaseLost(task: ModelTask): void {
    const started = task.state === "running";
    this.release(task, { how: started ? "lost" : "reclaimed", countsAsFailure: started });
  }

  /** Ends an attempt without a result. The task is queued again or fails. */
  release(
    task: ModelTask,
    {
      how,
      countsAsFailure,
    }: {
      how: "lost" | "timed_out" | "failed" | "given_up" | "refused" | "unanswered" | "reclaimed";
      countsAsFailure: boolean;
    },
  ): void {
    const holder = this.peers.get(task.holder ?? "");
    if (holder !== undefined && countsAsFailure) holder.failures++;
    this.#current(task).state = how === "given_up" ? "failed" : how;
    if (how === "refused") {
      const before = task.refusals.get(task.holder ?? "")?.count ?? 0;
      task.refusals.set(task.holder ?? "", { at: this.now, count: before + 1 });
    }
    const failed = how === "timed_out" || how === "failed" || how === "given_up";
    if (failed) task.tries++;
    if (how === "lost") task.interruptions++;
    if (
      how === "given_up" ||
      task.tries >= task.maxAttempts ||
      task.interruptions > task.maxInterruptions
    )
      return this.end(task, "failed");
    Object.assign(task, {
      state: "queued",
      prefetched: false,
      holder: null,
      leaseUntil: null,
      // A random pause is read from the coordinator.
      notBefore: failed || how === "lost" ? Number.NaN : this.now,
    });
    task.pausedAfter = failed ? task.tries : task.interruptions;
  }

  succeed(task: ModelTask, result: string): void {
    const holder = this.peers.get(task.holder ?? "");
    if (holder !== undefined) holder.successes++;
    const attempt = this.#current(task);
    attempt.state = "succeeded";
    attempt.begunAt ??= this.now;
    task.result = result;
    this.end(task, "succeeded");
  }

  /** Ends a task that was cancelled or has expired; its holder is told to cancel it. */
  cancelOrExpire(task: ModelTask, state: End): void {
    if (isHeld(task)) {
      this.expected.cancelled.push(`${task.id} ${task.fence} ${task.holder}`);
      this.#current(task).state = "reclaimed";
      this.#mayCount(task);
    }
    this.end(task, state);
  }

  #mayCount({ holder }: ModelTask): void {
    const peer = this.peers.get(holder ?? "");
    if (peer !== undefined) peer.unsureFailures++;
  }

  end(task: ModelTask, state: End): void {
    Object.assign(task, { state, endedAt: this.now, leaseUntil: null, prefetched: false });
    this.expected.tasksEnded.push(task.id);
  }

  /** Applies the deadlines and leases that are over. */
  tick(): void {
    for (const task of this.tasks.values())
      if (!isEnded(task) && task.deadlineAt <= this.now) this.cancelOrExpire(task, "expired");
    const over = [...this.tasks.values()]
      .filter((task) => isHeld(task) && (task.leaseUntil ?? Infinity) <= this.now)
      .toSorted((a, b) => (a.leaseUntil ?? 0) - (b.leaseUntil ?? 0));
    for (const task of over) this.#giveUp(task);
  }

  #giveUp(task: ModelTask): void {
    const holder = this.peers.get(task.holder ?? "");
    if (task.state !== "running") {
      this.release(task, { how: "unanswered", countsAsFailure: true });
      if (holder !== undefined) this.becomeSuspect(holder);
      return;
    }
    const attempt = this.#current(task);
    const tookTooLong = timeoutOf(task, attempt) <= this.now;
    if (tookTooLong) this.#orderStop(task, attempt);
    const how = tookTooLong || holder?.state === "active" ? "timed_out" : "lost";
    if (tookTooLong) this.#mayCount(task);
    this.release(task, { how, countsAsFailure: !tookTooLong });
  }

  /** Tasks that may be offered now, in queue order. */
  queuedInOrder(): ModelTask[] {
    return [...this.tasks.values()]
      .filter((task) => task.state === "queued" && task.notBefore <= this.now)
      .toSorted(compareQueueOrder);
  }

  /** Whether the peer may have the task by AS2 and AS4, apart from free slots. */
  isEligible(task: ModelTask, peer: ModelPeer): boolean {
    const refused = task.refusals.get(peer.id);
    return (
      peer.hasRecord &&
      peer.state === "active" &&
      !peer.denied &&
      peer.role !== "controller" &&
      (task.requiredPeer === undefined || task.requiredPeer === peer.id) &&
      (peer.kinds.includes("*") || peer.kinds.includes(task.kind)) &&
      task.capabilities.every((capability) => peer.capabilities.includes(capability)) &&
      (refused === undefined || this.now >= refusalEnd(refused))
    );
  }

  hasFreeSlot = (peer: ModelPeer): boolean => this.heldBy(peer.id).length < peer.slots;

  /** Whether the peer has a free slot or may prefetch one task more. */
  canHoldAnother({ id, slots, prefetch }: ModelPeer): boolean {
    return slots > 0 && this.heldBy(id).length < slots + Number(prefetch);
  }

  /** Whether the task is prefetched and its holder has no free slot for it. */
  canRecall({ prefetched, holder }: ModelTask): boolean {
    const peer = this.peers.get(holder ?? "");
    return prefetched && peer !== undefined && this.heldBy(peer.id).length > peer.slots;
  }

  #endSession(peer: ModelPeer, code: string): void {
    this.expected.sessionsEnded.push(`${peer.id} ${peer.epoch} ${code}`);
  }
}

const basicRoles = (role: Role): Role[] => (role === "dual" ? ["worker", "controller"] : [role]);
