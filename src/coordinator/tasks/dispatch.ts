import type { Peer } from "../../peers/peer.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { decide, storedOf, type Decision, type Waiting } from "./decision.ts";
import { reclaim } from "./leases.ts";
import { offer } from "./offers.ts";

/** Tasks looked at first: as a rule they fill whoever has room, and the rest of a long queue need not be read. */
const LOOK_FIRST = 16;
const LOOK_FURTHER = 200;
/** As a `LIMIT`: all that wait, however many of them nobody can do. */
const ALL = -1;

/**
 * Assigns queued tasks to the peers that may have them, in queue order. `execute` calls it after every command that made
 * a task assignable or let a peer take more, so that no task waits for a timer while a peer could do it.
 *
 * A peer with a free slot is preferred to one that would only prefetch, and a task that is prefetched by a busy peer can
 * move to a free one. Moving it makes room at the busy peer, so the queue is looked at again then.
 */
export function assignQueuedTasks(context: Context): void {
  for (const limit of [LOOK_FIRST, LOOK_FURTHER, ALL]) {
    let outcome = round(context, limit);
    while (outcome === "again") outcome = round(context, limit);
    if (outcome === "seen_all") return;
  }
}

type Outcome =
  /** Nobody has room any more, or every task was looked at. */
  | "seen_all"
  /** More tasks wait than were looked at. */
  | "more"
  /** A busy peer has room again, or a free one what it could be given: it may concern tasks that had their turn. */
  | "again";

function round(context: Context, limit: number): Outcome {
  const { registry } = context;
  const { tasks, more } = waitingTasks(context, limit);
  let again = false;
  for (const task of tasks) {
    if (!mayMove(context, task)) continue;
    const decision = decide(context, task);
    const { peer: chosen } = decision.choice;
    if (chosen === null) continue;
    // What the choice is told to have been made of is what stood before the task moves.
    keep(context, task, chosen.peerId, decision);
    if (task.peerId !== null) {
      reclaim(context, registry.tasks.get(task.id) as Task);
      again = true;
    }
    const taker = registry.peers.get(chosen.peerId) as Peer;
    const holder = offer(context, registry.tasks.get(task.id) as Task, taker);
    if (holder.held > holder.slots && registry.roster.anyFree()) again = true;
  }
  if (again) return "again";
  return more ? "more" : "seen_all";
}

/** Keeps what the choice was made of, and who has the newest task of its kind. */
function keep(context: Context, task: Waiting, peerId: PeerId, decision: Decision): void {
  const { registry, now } = context;
  registry.choices.put(task.id, task.fence + 1, storedOf(context, decision));
  registry.shares.count({ peerId, at: now });
  const { service } = registry.kinds.get(task.kind);
  registry.kinds.put(task.kind, { service, incumbent: peerId, usedAt: now });
}

/** Tasks that somebody could take, in their turn: what nobody can do just now is not even read. */
function waitingTasks({ registry, now }: Context, limit: number) {
  const found: Waiting[] = [];
  let more = false;
  for (const shape of registry.tasks.shapes()) {
    if (!registry.roster.isOpen(shape)) continue;
    const queued = registry.tasks.waiting(shape, now, limit);
    const held = registry.roster.isOpen(shape, true) ? registry.tasks.prefetched(shape, limit) : [];
    if (queued.length + held.length === 0) registry.tasks.dropIfGone(shape);
    if (limit !== ALL && Math.max(queued.length, held.length) === limit) more = true;
    for (const task of [...queued, ...held]) found.push({ ...task, shape });
  }
  found.sort((a, b) => a.turn - b.turn || a.seq - b.seq);
  if (limit === ALL || found.length <= limit) return { tasks: found, more };
  return { tasks: found.slice(0, limit), more: true };
}

/** A task that waits at a peer goes only to another's free slot, and only while its holder has none for it. */
function mayMove({ registry }: Context, { shape, peerId }: Waiting): boolean {
  if (peerId === null) return registry.roster.isOpen(shape);
  const holder = registry.peers.get(peerId);
  return holder !== null && holder.held > holder.slots && registry.roster.isOpen(shape, true);
}
