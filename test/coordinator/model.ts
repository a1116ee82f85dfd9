import { MINUTE, SECOND, type Millis } from "../../src/base/clock.ts";
import { ACCEPT_TIMEOUT } from "../../src/protocol/constants.ts";
import type { AuthMode, PeerState, TaskState } from "../../src/protocol/http.ts";
import type { PeerId } from "../../src/protocol/ids.ts";
import type { Role } from "../../src/protocol/messages.ts";

export interface ModelPeer {
  readonly id: PeerId;
  /** Whether the registry has a record of it. */
  hasRecord: boolean;
  state: PeerState;
  /** The epoch of the newest session, also after the record was removed. */
  epoch: number;
  role: Role;
  mayAssign: boolean;
  capabilities: readonly string[];
  slots: number;
  prefetch: boolean;
  kinds: readonly string[];
  successes: number;
  failures: number;
  /** The times at which the peer fell silent. */
  silentAt: readonly Millis[];
  denied: boolean;
  allowlistRoles: readonly Role[] | null;
}

export interface ModelTask {
  readonly id: string;
  readonly kind: string;
  /** Its position in the queue: the time from which it waits, and a minute earlier for each step of priority. */
  readonly turn: Millis;
  /** The number of tasks that were submitted before it. */
  readonly submissionIndex: number;
  readonly capabilities: readonly string[];
  readonly requiredPeer: PeerId | undefined;
  readonly maxAttempts: number;
  readonly leaseMs: number;
  readonly deadlineAt: Millis;
  state: TaskState;
  fence: number;
  tries: number;
  /** The peer that holds it; for an ended task, the last one. */
  holder: PeerId | null;
  leaseUntil: Millis | null;
  /** Whether it waits at its holder for a slot. */
  prefetched: boolean;
  /** The peer that had started the newest attempt and lost it. It may resume the task until another peer gets it. */
  lostBy: PeerId | null;
  notBefore: Millis;
  endedAt: Millis | null;
  result: string | null;
  /** The peers that failed or lost an attempt, by fence. */
  readonly failedBy: Map<number, PeerId>;
  readonly refusedAt: Map<PeerId, Millis>;
}

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
      "role" | "mayAssign" | "capabilities" | "kinds" | "slots" | "prefetch"
    >,
  ) {
    if (isConnected(peer)) this.#endSession(peer, "superseded");
    Object.assign(peer, announced, { hasRecord: true, state: "active", epoch: peer.epoch + 1 });
  }

  disconnect(peer: ModelPeer): void {
    if (isConnected(peer)) peer.state = "stale";
    for (const task of this.heldBy(peer.id)) {
      const started = task.state === "running";
      this.release(task, { how: started ? "lost" : "reclaimed", countsAsFailure: started });
    }
  }

  becomeSuspect(peer: ModelPeer): void {
    if (peer.state !== "active") return;
    Object.assign(peer, { state: "suspect", silentAt: [...peer.silentAt, this.now] });
  }

  /** An answer makes a suspect peer active, unless it has fallen silent too often recently (LV9). */
  answer(peer: ModelPeer): void {
    const since = peer.silentAt.at(-1) ?? 0;
    const weights = peer.silentAt.map((at) => 0.5 ** ((this.now - at) / (10 * MINUTE)));
    const weight = weights.reduce((sum, each) => sum + each, 0);
    const hold = weight <= 1.5 ? 0 : Math.min(15 * MINUTE, 30 * SECOND * 2 ** (weight - 2));
    if (peer.state === "suspect" && this.now - since >= hold) peer.state = "active";
  }

  revoke(peer: ModelPeer): void {
    if (isConnected(peer)) this.#endSession(peer, "revoked");
    peer.denied = true;
    this.disconnect(peer);
    peer.state = "revoked";
  }

  forget(peer: ModelPeer): void {
    if (isConnected(peer)) this.#endSession(peer, "forgotten");
    this.disconnect(peer);
    Object.assign(peer, {
      hasRecord: false,
      state: "discovered",
      successes: 0,
      failures: 0,
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
    Object.assign(task, {
      state: "leased",
      prefetched: !this.hasFreeSlot(peer),
      lostBy: null,
      holder: peer.id,
      leaseUntil: this.now + ACCEPT_TIMEOUT,
    });
    task.fence++;
  }

  renewLease(task: ModelTask, queued: boolean): void {
    const waits = queued && task.state !== "running";
    const state = waits ? "leased" : "running";
    Object.assign(task, { state, prefetched: waits, leaseUntil: this.now + task.leaseMs });
  }

  /** Whether the peer lost a task that it had started, and no other peer has got the task since. */
  canResume(task: ModelTask, peer: ModelPeer): boolean {
    const waits = task.state === "queued" && this.now < task.deadlineAt;
    return waits && task.lostBy === peer.id && peer.hasRecord && isConnected(peer);
  }

  resume(task: ModelTask): void {
    task.failedBy.delete(task.fence);
    task.tries--;
    Object.assign(task, { holder: task.lostBy, lostBy: null, notBefore: this.now });
    this.renewLease(task, false);
  }

  /** The tasks that a reconnecting peer still runs, including those whose lease it lost. */
  startedTasks(peer: ModelPeer): ModelTask[] {
    return [...this.tasks.values()].filter(
      ({ state, holder, lostBy }) =>
        (state === "running" && holder === peer.id) || (state === "queued" && lostBy === peer.id),
    );
  }

  /** The peer has reconnected and listed its tasks: they are resumed, and its other held tasks are released. */
  reconcileHeldTasks(peer: ModelPeer, listed: readonly ModelTask[]): void {
    for (const task of listed) if (this.canResume(task, peer)) this.resume(task);
    for (const task of this.heldBy(peer.id)) {
      if (listed.includes(task)) continue;
      const started = task.state === "running";
      this.release(task, { how: started ? "lost" : "reclaimed", countsAsFailure: started });
    }
  }

  /** Ends an attempt without a result. The task is queued again or fails. */
  release(
    task: ModelTask,
    {
      how,
      countsAsFailure,
    }: { how: "lost" | "failed" | "given_up" | "refused" | "reclaimed"; countsAsFailure: boolean },
  ): void {
    const holder = this.peers.get(task.holder ?? "");
    if (holder !== undefined && countsAsFailure) holder.failures++;
    if (how === "refused") task.refusedAt.set(task.holder ?? "", this.now);
    const counts = how === "lost" || how === "failed" || how === "given_up";
    if (counts) {
      task.failedBy.set(task.fence, task.holder ?? "");
      task.tries++;
    }
    if (how === "given_up" || task.tries >= task.maxAttempts) return this.end(task, "failed");
    Object.assign(task, {
      state: "queued",
      prefetched: false,
      lostBy: how === "lost" ? task.holder : null,
      holder: null,
      leaseUntil: null,
      notBefore: counts ? Number.NaN : this.now, // a random pause, which is read from the coordinator
    });
  }

  succeed(task: ModelTask, result: string): void {
    const holder = this.peers.get(task.holder ?? "");
    if (holder !== undefined) holder.successes++;
    task.result = result;
    this.end(task, "succeeded");
  }

  /** Ends a task that was cancelled or has expired; its holder is told to cancel it. */
  cancelOrExpire(task: ModelTask, state: End): void {
    if (isHeld(task)) this.expected.cancelled.push(`${task.id} ${task.fence} ${task.holder}`);
    this.end(task, state);
  }

  end(task: ModelTask, state: End): void {
    Object.assign(task, { state, endedAt: this.now, leaseUntil: null, prefetched: false });
    this.expected.tasksEnded.push(task.id);
  }

  /** Applies the deadlines and leases that are over. */
  tick(): void {
    for (const task of this.tasks.values())
      if (!isEnded(task) && task.deadlineAt <= this.now) this.cancelOrExpire(task, "expired");
    for (const task of this.tasks.values()) {
      if (!isHeld(task) || (task.leaseUntil ?? Infinity) > this.now) continue;
      const started = task.state === "running";
      const holder = this.peers.get(task.holder ?? "");
      this.expected.cancelled.push(`${task.id} ${task.fence} ${task.holder}`);
      this.release(task, { how: started ? "lost" : "refused", countsAsFailure: true });
      if (!started && holder !== undefined) this.becomeSuspect(holder);
    }
  }

  /** Tasks that may be offered now, in queue order. */
  queuedInOrder(): ModelTask[] {
    return [...this.tasks.values()]
      .filter((task) => task.state === "queued" && task.notBefore <= this.now)
      .toSorted(compareQueueOrder);
  }

  /** Whether the peer may have the task by AS2 and AS4, apart from free slots. */
  isEligible(task: ModelTask, peer: ModelPeer): boolean {
    const refused = task.refusedAt.get(peer.id);
    return (
      peer.hasRecord &&
      peer.state === "active" &&
      !peer.denied &&
      peer.role !== "controller" &&
      (task.requiredPeer === undefined || task.requiredPeer === peer.id) &&
      (peer.kinds.includes("*") || peer.kinds.includes(task.kind)) &&
      task.capabilities.every((capability) => peer.capabilities.includes(capability)) &&
      (refused === undefined || this.now - refused >= MINUTE)
    );
  }

  hasFreeSlot = (peer: ModelPeer): boolean => this.heldBy(peer.id).length < peer.slots;

  /** Whether the peer has a free slot or may prefetch one task more. */
  canHoldAnother({ id, slots, prefetch }: ModelPeer): boolean {
    return slots > 0 && this.heldBy(id).length < slots + Number(prefetch);
  }

  /** Whether the task is prefetched and its holder has no free slot for it. */
  canReclaim({ prefetched, holder }: ModelTask): boolean {
    const peer = this.peers.get(holder ?? "");
    return prefetched && peer !== undefined && this.heldBy(peer.id).length > peer.slots;
  }

  #endSession(peer: ModelPeer, code: string): void {
    this.expected.sessionsEnded.push(`${peer.id} ${peer.epoch} ${code}`);
  }
}

/** The least and the longest pause after the given number of failed attempts, in milliseconds. */
export const retryPauseBounds = (tries: number): readonly [number, number] => {
  const longest = Math.min(MINUTE, (SECOND / 2) * 2 ** (tries - 1));
  return [longest / 2, longest];
};

export const isHeld = ({ state }: ModelTask): boolean => state === "leased" || state === "running";
export const isEnded = ({ endedAt }: ModelTask): boolean => endedAt !== null;
export const isConnected = ({ state }: ModelPeer): boolean =>
  state === "active" || state === "suspect";
export const compareQueueOrder = (a: ModelTask, b: ModelTask): number =>
  a.turn - b.turn || a.submissionIndex - b.submissionIndex;

const basicRoles = (role: Role): Role[] => (role === "dual" ? ["worker", "controller"] : [role]);

const unknownPeer = (id: PeerId): ModelPeer => ({
  id,
  hasRecord: false,
  state: "discovered",
  epoch: 0,
  role: "worker",
  mayAssign: false,
  capabilities: [],
  slots: 0,
  prefetch: false,
  kinds: ["*"],
  successes: 0,
  failures: 0,
  silentAt: [],
  denied: false,
  allowlistRoles: null,
});

/** The fields that are equal for every task that was just submitted. */
export const newTask = () => ({
  state: "queued" as TaskState,
  fence: 0,
  tries: 0,
  holder: null,
  leaseUntil: null,
  prefetched: false,
  lostBy: null,
  endedAt: null,
  result: null,
  failedBy: new Map<number, PeerId>(),
  refusedAt: new Map<PeerId, Millis>(),
});
