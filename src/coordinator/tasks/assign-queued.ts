import type { Peer } from "../../peers/peer.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Shape } from "../../registry/waiting-tasks.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { usableSlots } from "../../tasks/eligibility.ts";
import { isAssignable } from "./circuits.ts";
import { decide, storedOf, type Decision, type Waiting } from "./decision.ts";
import { sessionOf } from "../peers/scored-peers.ts";
import { chargeOf } from "../../tasks/fair-queue.ts";
import { FairOrder } from "./fair-order.ts";
import { offer } from "./offers.ts";
import { refuse } from "./attempts.ts";

/**
 * Number of tasks that are considered first. Usually they fill every free slot, and the rest of a long queue is not
 * read.
 */
const LOOK_FIRST = 16;
const LOOK_FURTHER = 200;
/** As a SQL `LIMIT`: every queued task, however many of them no peer can take. */
const ALL = -1;

/**
 * Assigns queued tasks to the peers that may have them, in the order of `FairOrder`. `execute` calls it after every command that made
 * a task assignable or let a peer take more, so that no task waits for a timer while a peer could do it.
 *
 * A peer with a free slot is preferred to one that would only prefetch, and a task that is prefetched by a busy peer is asked
 * back for a free one.
 */
export function assignQueuedTasks(context: Context): void {
  const settled = new Set<Shape>();
  for (const limit of [LOOK_FIRST, LOOK_FURTHER, ALL]) {
    let outcome = assignRound(context, limit, settled);
    while (outcome === "again") outcome = assignRound(context, limit, settled);
    if (outcome === "seen_all") return;
  }
}

type Outcome =
  /** No peer has room any more, or every task was considered. */
  | "seen_all"
  /** More tasks are queued than were considered. */
  | "more"
  /** A task that was prefetched now could be given to a free peer: tasks that were considered already may be concerned. */
  | "again";

/**
 * @param settled the shapes for whose prefetched tasks no free slot is left. Until the tasks have come back that were asked
 * for, every other one would be considered for the same slots at each command.
 */
function assignRound(context: Context, limit: number, settled: Set<Shape>): Outcome {
  const { registry } = context;
  const order = new FairOrder(context);
  let again = false;
  for (let considered = 0; ; considered++) {
    if (considered === limit) return again ? "again" : "more";
    const task = order.next();
    if (task === null) return again ? "again" : "seen_all";
    if (task.peerId !== null && settled.has(task.shape)) continue;
    if (!mayMove(context, task)) continue;
    const decision = decide(context, task);
    if (task.peerId !== null && !decision.hadTaker) settled.add(task.shape);
    const { peer: chosen } = decision.choice;
    if (chosen === null) continue;
    const taker = registry.peers.get(chosen.peerId) as Peer;
    if (task.peerId !== null) {
      if (registry.tasks.recalls.unanswered(task.id) < RECALLS_MAX) askBack(context, task, taker);
      else {
        takeUnanswered(context, task);
        again = true;
      }
      continue;
    }
    storeDecision(context, task, chosen.peerId, decision);
    registry.kindSettings.offered(task.kind, context.now);
    chargeOwner(context, task);
    const holder = offer(context, registry.tasks.get(task.id) as Task, taker);
    if (holder.held > usableSlots(holder) && registry.roster.anyFree()) again = true;
  }
}

function chargeOwner({ registry }: Context, { id, owner, kind }: Waiting): void {
  const { service } = registry.kinds.get(kind);
  const { weight } = registry.ownerLimits.of(owner);
  registry.tasks.shares.served(id, owner, chargeOf(service?.meanMs ?? null, weight));
}

/**
 * Asks a busy peer for a task that waits there, once for each free slot of the taker (see `decide`). The task moves when the peer has given
 * it back: the peer may have begun it meanwhile, and then nobody else may.
 */
function askBack({ registry, effects, now }: Context, task: Waiting, taker: Peer): void {
  const { recalls } = registry.tasks;
  const holder = registry.peers.get(task.peerId ?? "");
  const to = holder === null ? null : sessionOf(holder);
  if (to === null) return;
  recalls.ask(task.id, { taker: taker.id, at: now });
  registry.changes.mark("tasks"); // a recall has a due time, and writes no row
  effects.push({ type: "recall", to, taskId: task.id, fence: task.fence });
}

/** How often a peer is asked for a task that waits there, before the task is taken from it. */
const RECALLS_MAX = 3;

/** A peer that answers no recall has refused the task. If it has begun the task meanwhile, it has not said so: it must stop. */
function takeUnanswered(context: Context, { id }: Waiting): void {
  const task = context.registry.tasks.get(id);
  if (task !== null)
    refuse(context, task, `it was asked back ${RECALLS_MAX} times`, { stopPeer: true });
}

/** Stores the choice, and the peer that has the newest task of this kind. */
function storeDecision(context: Context, task: Waiting, peerId: PeerId, decision: Decision): void {
  const { registry, now } = context;
  registry.choices.put(task.id, task.lastFence + 1, storedOf(context, decision));
  registry.shares.count({ peerId, at: now });
  const known = registry.kinds.get(task.kind);
  registry.kinds.put(task.kind, { ...known, incumbent: peerId, usedAt: now });
}

/** A prefetched task is asked back only once, for another peer's free slot, and only while its holder has no free slot. */
function mayMove(context: Context, { id, shape, peerId }: Waiting): boolean {
  if (peerId === null) return isAssignable(context, shape);
  const { peers, tasks } = context.registry;
  if (tasks.recalls.isAsked(id, context.now)) return false;
  const holder = peers.get(peerId);
  const waits = holder !== null && holder.held > usableSlots(holder);
  return waits && isAssignable(context, shape, true);
}
