import type { Millis } from "../base/clock.ts";
import { isConnected } from "../peers/lifecycle.ts";
import type { Peer } from "../peers/peer.ts";
import { takesTasks } from "../peers/scheduling.ts";
import type { PeerId } from "../protocol/ids.ts";
import { handlesKind } from "../protocol/messages.ts";
import type { Census, Traits, TraitFilter } from "../scoring/peer-classes.ts";
import { NO_ROW } from "../scoring/peer-row-table.ts";
import { RankIndex, type RankQuery } from "../scoring/rank-index.ts";
import { meets } from "../tasks/capabilities.ts";
import { hasSlot, placesOf } from "../tasks/eligibility.ts";
import { inBoth, type Takers } from "./shape-index.ts";
import type { Shape } from "./waiting-tasks.ts";

/** The fields of a peer that ranking needs. */
export type Ranked = Pick<
  Peer,
  | "id"
  | "role"
  | "state"
  | "scheduling"
  | "kinds"
  | "capabilities"
  | "slots"
  | "earnedSlots"
  | "prefetch"
  | "held"
  | "successes"
  | "failures"
  | "score"
>;

/** The stored records, from which the roster is built. */
export interface RosterSource {
  ranked(): readonly Ranked[];
  get(id: PeerId): Peer | null;
}

/** Number of connected peers up to which a choice considers all of them. */
const FEW = 256;
/**
 * Share of the candidates that is reserved for peers of which little is known, which would never be tried otherwise.
 */
const FRESH_SHARE = 1 / 8;
/** Number of outcomes below which little is known about a peer. */
const KNOWN_OUTCOMES = 5;

/**
 * The connected peers in memory, ranked by score, so that a choice finds candidates without a scan. SQLite has the
 * records. The roster is built from them at its first use after a wake, then updated with each change. Peers that a
 * failed transaction had changed are read again.
 */
export class Roster {
  readonly #source: RosterSource;
  readonly #seed: number;
  readonly #isWaitedFor: (id: PeerId) => boolean;
  readonly #queries = new WeakMap<Shape, Queries>();
  #free: RankQuery | null = null;
  #index: RankIndex | null = null;
  /** The connected peers that may get a task now. */
  readonly #takers = new Set<PeerId>();
  /** All connected peers, while they are few. */
  #few: Set<PeerId> | null = null;
  /** IDs of the peers that each open transaction has changed, the innermost transaction last. */
  readonly #touched: Set<PeerId>[] = [];

  readonly #onNewestActive: () => void;

  /**
   * @param isWaitedFor whether a peer has so many unanswered offers that it gets no more for now
   * @param onNewestActive called when `newestActive` has changed
   */
  constructor(
    source: RosterSource,
    seed: number,
    isWaitedFor: (id: PeerId) => boolean = () => false,
    onNewestActive: () => void = () => {},
  ) {
    this.#onNewestActive = onNewestActive;
    this.#source = source;
    this.#seed = seed;
    this.#isWaitedFor = isWaitedFor;
  }

  /** When a peer last became active, as far as this object has seen; 0 when it has not. */
  newestActive: Millis = 0;

  /** Updates a peer, or removes it (null). */
  update(id: PeerId, peer: Peer | null): void {
    if (peer?.state === "active" && peer.since > this.newestActive) {
      this.newestActive = peer.since;
      this.#onNewestActive();
    }
    this.#touched.at(-1)?.add(id);
    if (this.#index === null) return;
    this.#rank(this.#index, id, peer);
    if (!this.#index.has(id)) this.#few?.delete(id);
    else if (this.#index.size > FEW) this.#few = null;
    else this.#few?.add(id);
  }

  begin(): void {
    this.#touched.push(new Set());
  }

  /** The enclosing transaction, if there is one, can still undo the changes. */
  commit(): void {
    const touched = this.#touched.pop() ?? [];
    for (const id of touched) this.#touched.at(-1)?.add(id);
  }

  /** Reads the peers again that the failed transaction had changed. Call it once the records are rolled back. */
  rollback(): void {
    const touched = this.#touched.pop() ?? [];
    for (const id of touched) this.update(id, this.#source.get(id));
  }

  /** Number of connected peers. */
  get size(): number {
    return this.#ranks().size;
  }

  /** Whether any peer has a free slot. */
  anyFree(): boolean {
    return this.#has((this.#free ??= this.#ranks().query(({ free }) => free)));
  }

  /** Whether any peer could take a task of this shape now, judged by traits. `free`: with a free slot. */
  isOpen(shape: Shape, free = false): boolean {
    const { peer_id: named } = shape.requirements;
    if (named !== undefined) {
      const peer = this.#connected(named);
      return peer !== null && this.#mayTake(peer) && (!free || hasSlot(peer));
    }
    const queries = this.#queriesOf(shape);
    return this.#has(free ? queries.free : queries.any);
  }

  /**
   * Number of connected peers that could take a task of this shape, now or later, judged by traits: they answer, take tasks and
   * run any at all.
   */
  capable(shape: Shape): number {
    const able = ableTo(shape);
    let found = 0;
    for (const { traits, members } of this.census()) if (able(traits)) found += members;
    return found;
  }

  /** Whether a peer is one of these. */
  isCapable(shape: Shape, peer: Ranked): boolean {
    return isConnected(peer.state) && ableTo(shape)(traitsOf(peer));
  }

  /** All connected peers, if they are few: then an explanation can say for each why it did not get a task. */
  allIfFew(): readonly Peer[] | null {
    const index = this.#ranks();
    if (index.size > FEW) return null;
    this.#few ??= new Set(this.#source.ranked().map(({ id }) => id));
    return Array.from(this.#few, (id) => this.#source.get(id) as Peer);
  }

  /** The peers that may get a task now. */
  takers(): Takers {
    const ranks = this.#ranks();
    const takers = this.#takers;
    return {
      *classes() {
        for (const { traits, ranked } of ranks.census()) if (ranked > 0) yield traits;
      },
      among: (named) => inBoth(takers, named),
    };
  }

  /** The number of classes of connected peers. */
  get classes(): number {
    return this.#ranks().kinds;
  }

  /** The connected peers by class. */
  census(): Iterable<Census> {
    return this.#ranks().census();
  }

  /**
   * Peers that could take a task of this shape: all if they are at most so many, else peers with a free slot first,
   * the best by score, with a share for peers of which little is known.
   */
  candidates(shape: Shape, limit: number): readonly Peer[] {
    const { peer_id: named } = shape.requirements;
    if (named !== undefined) return [this.#connected(named)].filter((peer) => peer !== null);
    const index = this.#ranks();
    const { known, fresh, waiting } = this.#queriesOf(shape);
    const reserved = Math.min(index.count(fresh), Math.ceil(limit * FRESH_SHARE));
    const found = index.best(known, limit - reserved);
    found.push(...index.best(fresh, limit - found.length));
    found.push(...index.best(waiting, limit - found.length));
    return found.map((id) => this.#source.get(id) as Peer);
  }

  #rank(index: RankIndex, id: PeerId, peer: Ranked | null): void {
    const takes = peer !== null && isConnected(peer.state) && this.#mayTake(peer);
    if (takes) this.#takers.add(id);
    else this.#takers.delete(id);
    if (peer === null || !isConnected(peer.state)) index.remove(id);
    else index.put(id, traitsOf(peer), takes ? peer.score : null);
  }

  /** Whether a peer may get any task now. */
  #mayTake(peer: Ranked): boolean {
    const hasRoom = peer.held < placesOf(peer) && !this.#isWaitedFor(peer.id);
    const isTaking = peer.state === "active" && takesTasks(peer.scheduling);
    return isTaking && peer.role !== "controller" && hasRoom;
  }

  #has(query: RankQuery): boolean {
    return this.#ranks().first(query) !== NO_ROW;
  }

  #queriesOf(shape: Shape): Queries {
    const made = this.#queries.get(shape);
    if (made !== undefined) return made;
    const suits = suited(shape);
    const { min_score: minScore } = shape.requirements;
    const query = (wanted: TraitFilter) =>
      this.#ranks().query((traits) => wanted(traits) && suits(traits), minScore);
    const queries = {
      any: query(() => true),
      free: query(({ free }) => free),
      known: query(({ free, fresh }) => free && !fresh),
      fresh: query(({ free, fresh }) => free && fresh),
      waiting: query(({ free }) => !free),
    };
    this.#queries.set(shape, queries);
    return queries;
  }

  #connected(id: PeerId): Peer | null {
    return this.#ranks().has(id) ? this.#source.get(id) : null;
  }

  #ranks(): RankIndex {
    if (this.#index !== null) return this.#index;
    const index = new RankIndex(this.#seed);
    this.#takers.clear();
    const connected = this.#source.ranked();
    for (const peer of connected) this.#rank(index, peer.id, peer);
    if (connected.length <= FEW) this.#few = new Set(connected.map(({ id }) => id));
    return (this.#index = index);
  }
}

/**
 * Queries for the peers that could take a task of one shape: with a free slot, known or new, and those that would
 * prefetch it.
 */
interface Queries {
  readonly any: RankQuery;
  readonly free: RankQuery;
  readonly known: RankQuery;
  readonly fresh: RankQuery;
  readonly waiting: RankQuery;
}

/** The conditions of `exclusion` that a peer's traits decide. */
function suited({ kind, requirements: { capabilities, role } }: Shape): TraitFilter {
  return (traits) =>
    handlesKind(traits.kinds, kind) &&
    (role === undefined || role === traits.role) &&
    capabilities.every((wanted) => meets(traits.capabilities, wanted));
}

/** Whether peers with these traits could take any task if they had room. */
export const takeAny: TraitFilter = ({ active, works, cordoned, role }) =>
  active && works && !cordoned && role !== "controller";

/** The traits of a peer that could take a task of this shape if it had room. */
function ableTo(shape: Shape): TraitFilter {
  const suits = suited(shape);
  return (traits) => takeAny(traits) && suits(traits);
}

const traitsOf = (peer: Ranked): Traits => ({
  role: peer.role,
  active: peer.state === "active",
  cordoned: !takesTasks(peer.scheduling),
  kinds: peer.kinds,
  capabilities: peer.capabilities,
  works: peer.slots > 0,
  free: hasSlot(peer),
  fresh: peer.successes + peer.failures < KNOWN_OUTCOMES,
});
