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
  /** Of the newest session ever, also of a record that was removed. */
  epoch: number;
  role: Role;
  mayAssign: boolean;
  capabilities: readonly string[];
  slots: number;
  prefetch: boolean;
  speaksMuster: boolean;
  successes: number;
  failures: number;
  /** When it fell silent, each time. */
  silentAt: readonly Millis[];
  denied: boolean;
  allowlistRoles: readonly Role[] | null;
}

export interface ModelTask {
  readonly id: string;
  readonly kind: string;
  /** When its turn comes: the time from which it waits, and a minute earlier for each step of priority. */
  readonly turn: Millis;
  /** Its place in the order of coming. */
  readonly submissionIndex: number;
  readonly capabilities: readonly string[];
  readonly requiredPeer: PeerId | undefined;
  readonly maxAttempts: number;
  readonly leaseMs: number;
  readonly deadlineAt: Millis;
  state: TaskState;
  fence: number;
  tries: number;
  /** Who holds it; of an ended task, who held it last. */
  holder: PeerId | null;
  leaseUntil: Millis | null;
  /** It waits at its holder, which has not begun it. */
  prefetched: boolean;
  /** Who had begun it by the newest fence and was given up; may go on while nobody else got it. */
  lostBy: PeerId | null;
  notBefore: Millis;
  endedAt: Millis | null;
  result: string | null;
  /** Who failed at it or lost it, by fence. */
  readonly failedBy: Map<number, PeerId>;
  readonly refusedAt: Map<PeerId, Millis>;
}

type End = Extract<TaskState, "succeeded" | "failed" | "cancelled" | "expired">;

/** What a command is expected to have done to the world. */
export interface Expected {
  readonly sessionsEnded: string[];
  readonly cancelled: string[];
  readonly tasksEnded: string[];
}

/**
 * What the coordinator should have come to, kept without its code: plain objects and one method for each thing that
 * can happen. Whom a task is offered to it does not say; it only judges whether an offer was right.
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

  /** What the coordinator must answer to a claimed role: the role and whether it may assign, or an error's code. */
  expectedRole(
    { denied, allowlistRoles: entry }: ModelPeer,
    claimed: Role,
  ): { role: Role; mayAssign: boolean } | string {
    if (denied) return "revoked";
    if (this.mode === "allowlist" && entry === null) return "not_allowed";
    const granted = new Set((entry ?? ["worker"]).flatMap(basicRoles));
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
      "role" | "mayAssign" | "capabilities" | "slots" | "prefetch" | "speaksMuster"
    >,
  ) {
    if (isConnected(peer)) this.#endSession(peer, "superseded");
    Object.assign(peer, announced, { known: true, state: "active", epoch: peer.epoch + 1 });
  }

  disconnect(peer: ModelPeer): void {
    if (isConnected(peer)) peer.state = "stale";
    for (const task of this.heldBy(peer.id)) {
      const begun = task.state === "running";
      this.release(task, { how: begun ? "lost" : "reclaimed", blamed: begun });
    }
  }

  becomeSuspect(peer: ModelPeer): void {
    if (peer.state !== "active") return;
    Object.assign(peer, { state: "suspect", misses: [...peer.silentAt, this.now] });
  }

  /** An answer restores a suspect, unless it has fallen silent too often lately. */
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
      known: false,
      state: "discovered",
      successes: 0,
      failures: 0,
      misses: [],
    });
  }

  /** After a change of who may do what: ends the peer's session if it may do less than it does. */
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

  /** Whether the peer had begun the task, was given up, and may go on: nobody else has got it since. */
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

  /** What a peer that comes back still does: what it has begun, or had begun when it was given up. */
  startedTasks(peer: ModelPeer): ModelTask[] {
    return [...this.tasks.values()].filter(
      ({ state, holder, lostBy }) =>
        (state === "running" && holder === peer.id) || (state === "queued" && lostBy === peer.id),
    );
  }

  /** The peer is back and has named what it still does; whatever else it held is free. */
  reconcileHeldTasks(peer: ModelPeer, named: readonly ModelTask[]): void {
    for (const task of named) if (this.canResume(task, peer)) this.resume(task);
    for (const task of this.heldBy(peer.id)) {
      if (named.includes(task)) continue;
      const begun = task.state === "running";
      this.release(task, { how: begun ? "lost" : "reclaimed", blamed: begun });
    }
  }

  /** The holder lets go of the task without having done it, or it is taken from it. */
  release(
    task: ModelTask,
    {
      how,
      blamed,
    }: { how: "lost" | "failed" | "given_up" | "refused" | "reclaimed"; blamed: boolean },
  ): void {
    const holder = this.peers.get(task.holder ?? "");
    if (holder !== undefined && blamed) holder.failures++;
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
      notBefore: counts ? Number.NaN : this.now, // a drawn pause, which the coordinator tells
    });
  }

  succeed(task: ModelTask, result: string): void {
    const holder = this.peers.get(task.holder ?? "");
    if (holder !== undefined) holder.successes++;
    task.result = result;
    this.end(task, "succeeded");
  }

  /** Nobody wants the task any more; who holds it is told. */
  endHeldOrQueued(task: ModelTask, state: End): void {
    if (isHeld(task)) this.expected.cancelled.push(`${task.id} ${task.fence} ${task.holder}`);
    this.end(task, state);
  }

  end(task: ModelTask, state: End): void {
    Object.assign(task, { state, endedAt: this.now, leaseUntil: null, prefetched: false });
    this.expected.tasksEnded.push(task.id);
  }

  /** What time brings about at a tick. */
  tick(): void {
    for (const task of this.tasks.values())
      if (!isEnded(task) && task.deadlineAt <= this.now) this.endHeldOrQueued(task, "expired");
    for (const task of this.tasks.values()) {
      if (!isHeld(task) || (task.leaseUntil ?? Infinity) > this.now) continue;
      const begun = task.state === "running";
      const holder = this.peers.get(task.holder ?? "");
      this.expected.cancelled.push(`${task.id} ${task.fence} ${task.holder}`);
      this.release(task, { how: begun ? "lost" : "refused", blamed: true });
      if (!begun && holder !== undefined) this.becomeSuspect(holder);
    }
  }

  /** Tasks that may be offered now, in the order in which they must be. */
  queuedInOrder(): ModelTask[] {
    return [...this.tasks.values()]
      .filter((task) => task.state === "queued" && task.notBefore <= this.now)
      .toSorted(compareQueueOrder);
  }

  /** Whether AS2 and AS4 let a peer have a task, leaving aside whether it has room. */
  isEligible(task: ModelTask, peer: ModelPeer): boolean {
    const refused = task.refusedAt.get(peer.id);
    return (
      peer.hasRecord &&
      peer.state === "active" &&
      !peer.denied &&
      peer.role !== "controller" &&
      (task.requiredPeer === undefined || task.requiredPeer === peer.id) &&
      (peer.speaksMuster || task.kind === "go-p2p/get_stats") &&
      task.capabilities.every((capability) => peer.capabilities.includes(capability)) &&
      (refused === undefined || this.now - refused >= MINUTE)
    );
  }

  hasFreeSlot = (peer: ModelPeer): boolean => this.heldBy(peer.id).length < peer.slots;

  /** A slot, or the one place to wait for a slot. */
  canHoldAnother({ id, slots, prefetch }: ModelPeer): boolean {
    return slots > 0 && this.heldBy(id).length < slots + Number(prefetch);
  }

  /** A task that waits at a peer for a slot that is not there. */
  canReclaim({ prefetched, holder }: ModelTask): boolean {
    const peer = this.peers.get(holder ?? "");
    return prefetched && peer !== undefined && this.heldBy(peer.id).length > peer.slots;
  }

  #endSession(peer: ModelPeer, code: string): void {
    this.expected.sessionsEnded.push(`${peer.id} ${peer.epoch} ${code}`);
  }
}

/** Bounds of the pause that a task rests after so many tries, in milliseconds. */
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
  speaksMuster: true,
  successes: 0,
  failures: 0,
  silentAt: [],
  denied: false,
  allowlistRoles: null,
});
