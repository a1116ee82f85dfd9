import { MINUTE, type Millis } from "../base/clock.ts";
import type { Peer } from "../peers/peer.ts";
import { noOutcomes } from "../scoring/outcomes.ts";
import { choose } from "../tasks/assignment.ts";
import type { Candidate, Demand } from "../tasks/eligibility.ts";
import type { Shape } from "../registry/shapes.ts";
import type { WaitingTask } from "../registry/tasks.ts";
import type { Attempt, Task } from "../tasks/task.ts";
import type { Context } from "./context.ts";
import { reclaim } from "./leases.ts";
import { offer } from "./offers.ts";

/** Tasks looked at first: as a rule they fill whoever has room, and the rest of a long queue need not be read. */
const LOOK_FIRST = 16;
const LOOK_FURTHER = 200;
/** As a `LIMIT`: all that wait, however many of them nobody can do. */
const ALL = -1;
/** Peers that a choice looks at: all that could take the task, if they are no more, else the best by score. */
const CANDIDATES = 256;
/** A peer that refused a task is not asked again for this long. */
const REFUSAL_PAUSE = MINUTE;

/**
 * Offers waiting tasks to the peers that may have them, each in its turn. Called whenever a task arrives or a peer can
 * take more: nothing waits for a timer while somebody could do it.
 *
 * A peer with a free slot goes before one that would only prefetch, and a task that waits at a busy peer goes to a free
 * one as if it waited in the queue. That makes room at the busy peer, so it is looked again then.
 */
export function dispatch(context: Context): void {
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
    const taker = taking(context, task);
    if (taker === null) continue;
    if (task.peerId !== null) {
      reclaim(context, registry.tasks.get(task.id) as Task);
      again = true;
    }
    const holder = offer(context, registry.tasks.get(task.id) as Task, taker);
    if (holder.held > holder.slots && registry.roster.anyFree()) again = true;
  }
  if (again) return "again";
  return more ? "more" : "seen_all";
}

interface Waiting extends WaitingTask {
  readonly shape: Shape;
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

function taking(context: Context, task: Waiting): Peer | null {
  const { registry, now, random } = context;
  const wanted = demand(context, task);
  const limit = CANDIDATES + wanted.refused.size + (task.requirements.avoid?.length ?? 0);
  const peers = registry.roster.candidates(task.shape, limit);
  const pick = (among: readonly Peer[]): Peer | null => {
    const candidates = among.map((peer) => candidate(peer, now));
    const { peer: chosen } = choose(wanted, candidates, now, random, { name: "best-score" });
    return among.find(({ id }) => id === chosen?.peerId) ?? null;
  };
  const free = pick(peers.filter(({ held, slots }) => held < slots));
  return free ?? (task.peerId === null ? pick(peers) : null);
}

function demand({ registry, now }: Context, task: WaitingTask): Demand {
  const attempts: readonly Attempt[] = task.fence === 0 ? [] : registry.attempts.of(task.id);
  return {
    kind: task.kind,
    requirements: task.requirements,
    tried: peersOf(attempts, (attempt) => attempt.state === "failed" || attempt.state === "lost"),
    refused: peersOf(
      attempts,
      ({ state, startedAt, endedAt }) =>
        state === "refused" && now - (endedAt ?? startedAt) < REFUSAL_PAUSE,
    ),
    service: null,
    incumbent: null,
  };
}

const peersOf = (attempts: readonly Attempt[], which: (attempt: Attempt) => boolean) =>
  new Set(attempts.filter(which).map((attempt) => attempt.peerId));

const candidate = (peer: Peer, now: Millis): Candidate => ({
  peerId: peer.id,
  role: peer.role,
  active: peer.state === "active",
  speaksMuster: peer.speaksMuster,
  capabilities: peer.capabilities,
  slots: peer.slots,
  prefetch: peer.prefetch,
  held: peer.held,
  score: peer.score,
  evidence: {
    rttMs: peer.rtt?.smoothedMs ?? null,
    rttVarianceMs: peer.rtt?.varianceMs ?? null,
    outcomes: { ...noOutcomes(now), successes: peer.successes, failures: peer.failures },
    service: null,
    connectedAt: null,
    share: 0,
    nearMs: null,
  },
});
