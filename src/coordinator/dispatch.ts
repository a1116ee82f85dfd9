import { MINUTE, type Millis } from "../base/clock.ts";
import type { Peer } from "../peers/peer.ts";
import { noOutcomes } from "../scoring/outcomes.ts";
import { choose } from "../tasks/assignment.ts";
import { placesOf, type Candidate, type Demand } from "../tasks/eligibility.ts";
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
  const { registry, now } = context;
  const waiting = registry.tasks.waiting(now, limit);
  const prefetched = registry.tasks.prefetched(limit);
  if (waiting.length + prefetched.length === 0) return "seen_all";
  const room = new Room(registry.peers.connected());
  let again = false;
  for (const task of inTurn(waiting, prefetched)) {
    if (room.isEmpty(task)) continue;
    const taker = room.choose(context, task);
    if (taker === null) continue;
    if (task.peerId !== null) {
      reclaim(context, registry.tasks.get(task.id) as Task);
      room.update(registry.peers.get(task.peerId) as Peer);
      again = true;
    }
    const holder = offer(context, registry.tasks.get(task.id) as Task, taker);
    room.update(holder);
    if (holder.held > holder.slots && room.hasFree) again = true;
  }
  if (again) return "again";
  const all = limit === ALL || Math.max(waiting.length, prefetched.length) < limit;
  return all || room.isFull ? "seen_all" : "more";
}

const inTurn = (
  waiting: readonly WaitingTask[],
  prefetched: readonly WaitingTask[],
): readonly WaitingTask[] =>
  prefetched.length === 0
    ? waiting
    : [...waiting, ...prefetched].toSorted((a, b) => a.turn - b.turn || a.seq - b.seq);

/** Who may get something just now: those with a slot free, and those who would let it wait at them. */
class Room {
  readonly #all: Map<string, Peer>;
  #free: readonly Peer[];
  #spare: readonly Peer[];

  constructor(connected: readonly Peer[]) {
    this.#all = new Map(connected.map((peer) => [peer.id, peer]));
    const open = connected.filter(mayTake);
    this.#free = open.filter(hasSlot);
    this.#spare = open.filter((peer) => !hasSlot(peer));
  }

  get isFull(): boolean {
    return this.#free.length + this.#spare.length === 0;
  }

  get hasFree(): boolean {
    return this.#free.length > 0;
  }

  /** A task that waits at a peer goes only to another's free slot, and only while its holder has none for it. */
  isEmpty({ peerId }: WaitingTask): boolean {
    if (peerId === null) return this.isFull;
    const holder = this.#all.get(peerId);
    return this.#free.length === 0 || holder === undefined || holder.held <= holder.slots;
  }

  choose(context: Context, task: WaitingTask): Peer | null {
    const wanted = demand(context, task);
    const pick = (peers: readonly Peer[]): Peer | null => {
      const { now, random } = context;
      const candidates = peers.map((peer) => candidate(peer, now));
      const { peer: chosen } = choose(wanted, candidates, now, random, { name: "best-score" });
      return peers.find(({ id }) => id === chosen?.peerId) ?? null;
    };
    return pick(this.#free) ?? (task.peerId === null ? pick(this.#spare) : null);
  }

  /** The peer holds one more, or one less. */
  update(peer: Peer): void {
    this.#all.set(peer.id, peer);
    this.#free = this.#free.filter(({ id }) => id !== peer.id);
    this.#spare = this.#spare.filter(({ id }) => id !== peer.id);
    if (!mayTake(peer)) return;
    if (hasSlot(peer)) this.#free = [...this.#free, peer];
    else this.#spare = [...this.#spare, peer];
  }
}

/** Whether a peer may get anything at all just now. */
const mayTake = (peer: Peer): boolean =>
  peer.state === "active" && peer.role !== "controller" && peer.held < placesOf(peer);

const hasSlot = ({ held, slots }: Peer): boolean => held < slots;

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
