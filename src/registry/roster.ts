import { isConnected } from "../peers/lifecycle.ts";
import type { Peer } from "../peers/peer.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Traits, Wanted } from "../scoring/kinds.ts";
import { NOWHERE } from "../scoring/place-table.ts";
import { RankIndex, type RankQuery } from "../scoring/rank-index.ts";
import { meets } from "../tasks/capabilities.ts";
import { isGoP2pRequest, placesOf } from "../tasks/eligibility.ts";
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
  ranked(): Iterable<Ranked>;
  get(id: PeerId): Peer | null;
}

/** Records kept beside the index, so that choosing among few peers reads nothing: some 10 MB at the most. */
const RECORDS_MAX = 5_000;
/** Of the candidates, the share kept for those of whom little is known: they would never be tried else. */
const FRESH_SHARE = 1 / 8;
/** Outcomes below which little is known of a peer. */
const KNOWN_OUTCOMES = 5;

/**
 * The connected peers in memory, ranked by score, for the choice: which of them could take something, without a look at
 * all. SQLite is the record. The roster is built from it when it is first asked after a wake, then kept in step with
 * each write; what a transaction that failed had changed is read again.
 */
export class Roster {
  readonly #source: RosterSource;
  readonly #seed: number;
  readonly #records = new Map<PeerId, Peer>();
  readonly #queries = new WeakMap<Shape, Queries>();
  #free: RankQuery | null = null;
  #index: RankIndex | null = null;
  /** Whom the transaction under way has written; null outside of one. */
  #touched: Set<PeerId> | null = null;

  constructor(source: RosterSource, seed: number) {
    this.#source = source;
    this.#seed = seed;
  }

  /** A peer's row was written, or removed. */
  wrote(id: PeerId, peer: Peer | null): void {
    this.#touched?.add(id);
    if (peer === null || !isConnected(peer.state)) this.#records.delete(id);
    else if (this.#records.has(id) || this.#records.size < RECORDS_MAX) this.#records.set(id, peer);
    if (this.#index !== null) rank(this.#index, id, peer);
  }

  /** Runs a transaction's body within `run`, which commits or, by throwing, undoes what it wrote. */
  within<T>(run: () => T): T {
    this.#touched = new Set();
    try {
      return run();
    } catch (thrown) {
      const touched = this.#touched;
      this.#touched = null;
      for (const id of touched) this.wrote(id, this.#source.get(id));
      throw thrown;
    } finally {
      this.#touched = null;
    }
  }

  /** Whether anybody has a slot free. */
  anyFree(): boolean {
    return this.#has((this.#free ??= this.#ranks().query(({ free }) => free)));
  }

  /** Whether anybody could take a task of this shape now, as far as traits tell; `free`: with a slot free for it. */
  isOpen(shape: Shape, free = false): boolean {
    const { peer_id: named } = shape.requirements;
    if (named !== undefined) {
      const peer = this.#ranks().has(named) ? this.#record(named) : null;
      return peer !== null && mayTake(peer) && (!free || hasSlot(peer));
    }
    const queries = this.#queriesOf(shape);
    return this.#has(free ? queries.free : queries.any);
  }

  /**
   * Who could take a task of this shape: all if they are at most so many, else those with a slot free before others,
   * the best by score, with a share for those of whom little is known.
   */
  candidates(shape: Shape, limit: number): readonly Peer[] {
    const { peer_id: named } = shape.requirements;
    if (named !== undefined) return [this.#record(named)].filter((peer) => peer !== null);
    const index = this.#ranks();
    const { known, fresh, waiting } = this.#queriesOf(shape);
    const reserved = Math.min(index.count(fresh), Math.ceil(limit * FRESH_SHARE));
    const found = index.best(known, limit - reserved);
    found.push(...index.best(fresh, limit - found.length));
    found.push(...index.best(waiting, limit - found.length));
    return found.flatMap((id) => this.#record(id) ?? []);
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

  #record(id: PeerId): Peer | null {
    const kept = this.#records.get(id);
    if (kept !== undefined) return kept;
    const peer = this.#source.get(id);
    if (peer !== null && isConnected(peer.state) && this.#records.size < RECORDS_MAX)
      this.#records.set(id, peer);
    return peer;
  }

  #ranks(): RankIndex {
    if (this.#index !== null) return this.#index;
    const index = new RankIndex(this.#seed);
    for (const peer of this.#source.ranked()) rank(index, peer.id, peer);
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

const hasSlot = ({ held, slots }: Ranked): boolean => held < slots;

const traitsOf = (peer: Ranked): Traits => ({
  role: peer.role,
  speaksMuster: peer.speaksMuster,
  capabilities: peer.capabilities,
  free: hasSlot(peer),
  fresh: peer.successes + peer.failures < KNOWN_OUTCOMES,
});
