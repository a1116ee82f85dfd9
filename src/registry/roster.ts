import { isConnected } from "../peers/lifecycle.ts";
import type { Peer } from "../peers/peer.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Census, Traits, Wanted } from "../scoring/peer-classes.ts";
import { NOWHERE } from "../scoring/place-table.ts";
import { RankIndex, type RankQuery } from "../scoring/rank-index.ts";
import { meets } from "../tasks/capabilities.ts";
import { hasSlot, isGoP2pRequest, placesOf } from "../tasks/eligibility.ts";
import type { Shape } from "./shapes.ts";

/** What ranking needs to know of a peer. */
export type Ranked = Pick<
  Peer,
  | "id"
  | "role"
  | "state"
  | "speaksMuster"
  | "capabilities"
  | "slots"
  | "prefetch"
  | "held"
  | "successes"
  | "failures"
  | "score"
>;

/** Where the roster reads: the record, which alone is the truth. */
export interface RosterSource {
  ranked(): readonly Ranked[];
  get(id: PeerId): Peer | null;
}

/** Connected peers up to which all are looked at for a choice, whoever they are. */
const FEW = 256;
/** Of the candidates, the share kept for those of whom little is known: they would never be tried else. */
const FRESH_SHARE = 1 / 8;
/** Outcomes below which little is known of a peer. */
const KNOWN_OUTCOMES = 5;

/**
 * The connected peers in memory, ranked by score, for the choice: which of them could take something, without a look at
 * all. SQLite is the record. The roster is built from it when it is first asked after a wake, then kept in step with
 * each change; what a transaction that failed had changed is read again.
 */
export class Roster {
  readonly #source: RosterSource;
  readonly #seed: number;
  readonly #queries = new WeakMap<Shape, Queries>();
  #free: RankQuery | null = null;
  #index: RankIndex | null = null;
  /** All that are connected, while they are few. */
  #few: Set<PeerId> | null = null;
  /** Whom the transaction under way has changed; null outside of one. */
  #touched: Set<PeerId> | null = null;

  constructor(source: RosterSource, seed: number) {
    this.#source = source;
    this.#seed = seed;
  }

  /** A peer has changed, or was removed. */
  changed(id: PeerId, peer: Peer | null): void {
    this.#touched?.add(id);
    if (this.#index === null) return;
    rank(this.#index, id, peer);
    if (!this.#index.has(id)) this.#few?.delete(id);
    else if (this.#index.size > FEW) this.#few = null;
    else this.#few?.add(id);
  }

  begin(): void {
    this.#touched = new Set();
  }

  commit(): void {
    this.#touched = null;
  }

  /** To be called when the record is again as it was. */
  rollback(): void {
    const touched = this.#touched ?? [];
    this.#touched = null;
    for (const id of touched) this.changed(id, this.#source.get(id));
  }

  /** Connected peers. */
  get size(): number {
    return this.#ranks().size;
  }

  /** Whether anybody has a slot free. */
  anyFree(): boolean {
    return this.#has((this.#free ??= this.#ranks().query(({ free }) => free)));
  }

  /** Whether anybody could take a task of this shape now, as far as traits tell; `free`: with a slot free for it. */
  isOpen(shape: Shape, free = false): boolean {
    const { peer_id: named } = shape.requirements;
    if (named !== undefined) {
      const peer = this.#connected(named);
      return peer !== null && mayTake(peer) && (!free || hasSlot(peer));
    }
    const queries = this.#queriesOf(shape);
    return this.#has(free ? queries.free : queries.any);
  }

  /** All that are connected, if they are few: with them it can be told of each why it did not get a task. */
  everybody(): readonly Peer[] | null {
    const index = this.#ranks();
    if (index.size > FEW) return null;
    this.#few ??= new Set(this.#source.ranked().map(({ id }) => id));
    return Array.from(this.#few, (id) => this.#source.get(id) as Peer);
  }

  /** The connected peers by kind. */
  census(): Iterable<Census> {
    return this.#ranks().census();
  }

  /**
   * Who could take a task of this shape: all if they are at most so many, else those with a slot free before others,
   * the best by score, with a share for those of whom little is known.
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

  #has(query: RankQuery): boolean {
    return this.#ranks().first(query) !== NOWHERE;
  }

  #queriesOf(shape: Shape): Queries {
    const made = this.#queries.get(shape);
    if (made !== undefined) return made;
    const suits = suited(shape);
    const { min_score: minScore } = shape.requirements;
    const query = (wanted: Wanted) =>
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
    const connected = this.#source.ranked();
    for (const peer of connected) rank(index, peer.id, peer);
    if (connected.length <= FEW) this.#few = new Set(connected.map(({ id }) => id));
    return (this.#index = index);
  }
}

/** Peers who could take a task of one shape: with a slot free, known or not, and those at whom it would wait. */
interface Queries {
  readonly any: RankQuery;
  readonly free: RankQuery;
  readonly known: RankQuery;
  readonly fresh: RankQuery;
  readonly waiting: RankQuery;
}

/** What `exclusion` asks of a peer, as far as its traits tell. */
function suited({ kind, requirements: { capabilities, role } }: Shape): Wanted {
  const plain = isGoP2pRequest(kind);
  return (traits) =>
    (traits.speaksMuster || plain) &&
    (role === undefined || role === traits.role) &&
    capabilities.every((wanted) => meets(traits.capabilities, wanted));
}

function rank(index: RankIndex, id: PeerId, peer: Ranked | null): void {
  if (peer === null || !isConnected(peer.state)) index.remove(id);
  else index.put(id, traitsOf(peer), mayTake(peer) ? peer.score : null);
}

/** Whether a peer may get anything at all just now. */
const mayTake = (peer: Ranked): boolean =>
  peer.state === "active" && peer.role !== "controller" && peer.held < placesOf(peer);

const traitsOf = (peer: Ranked): Traits => ({
  role: peer.role,
  active: peer.state === "active",
  speaksMuster: peer.speaksMuster,
  capabilities: peer.capabilities,
  free: hasSlot(peer),
  fresh: peer.successes + peer.failures < KNOWN_OUTCOMES,
});
