import type { PeerId } from "../protocol/ids.ts";
import { PeerClasses, type Census, type Traits, type TraitFilter } from "./peer-classes.ts";
import { grown, NO_ROW, PeerRowTable, type Row } from "./peer-row-table.ts";
import { BUCKET, bucketOf, KIND, ROW, UNRANKED } from "./score-buckets.ts";

/** A prepared query: `RankIndex.query` makes it, and the index keeps its cached results current. */
export interface RankQuery {
  readonly wanted: TraitFilter;
  /** The lowest bucket that meets the query. */
  readonly lowest: number;
  /** Numbers of the matching classes, as of this version of the classes. */
  kinds: Uint32Array;
  version: number;
  /** The class with the best peer when all classes were last scanned, and the best bucket of the other classes then. */
  leader: number;
  runnerUp: number;
  /** The index's count of rises then. Until the next rise the best buckets of the other classes can only fall. */
  rises: number;
}

/**
 * Finds the best peers for a task without a scan: 16 bytes a peer for its class and its ring of equal scores, 16 for
 * its ID, about 8 to find it. A peer's rank is its score to a 1,024th. The caller decides between nearly equal peers
 * and by what is not a trait (refusals, a named peer), from the first few of `best`.
 */
export class RankIndex {
  readonly #places: PeerRowTable;
  readonly #kinds = new PeerClasses();
  #links: Uint32Array<ArrayBuffer>;
  /** The best filled bucket of each class, side by side; -1 for none. */
  #tops = new Int16Array(16);
  /** How often the best bucket of any class rose. */
  #rises = 0;

  /** @param seed any number, preferably random, so that outsiders do not know which IDs collide */
  constructor(seed: number) {
    this.#places = new PeerRowTable(seed);
    this.#links = new Uint32Array(this.#places.capacity * ROW);
  }

  /** Number of known peers, ranked or not. */
  get size(): number {
    return this.#places.size;
  }

  get kinds(): number {
    return this.#kinds.size;
  }

  census(): Iterable<Census> {
    return this.#kinds.census();
  }

  /** Size of all arrays in bytes. */
  get bytes(): number {
    const { bytes } = this.#places;
    return bytes + this.#links.byteLength + this.#tops.byteLength + this.#kinds.bytes;
  }

  /** Adds a peer, or updates it. With `score` null it is in no result: it has no room, or does not answer. */
  put(id: PeerId, traits: Traits, score: number | null): void {
    const before = this.#places.size;
    const place = this.#places.add(id);
    if (this.#places.size > before) {
      if (this.#links.length < this.#places.capacity * ROW)
        this.#links = grown(this.#links, this.#places.capacity * ROW);
      this.#settle(place, traits);
    } else if (!this.#kinds.at(this.#kindAt(place)).is(traits)) {
      this.#unrank(place);
      const old = this.#kindAt(place);
      this.#settle(place, traits);
      this.#kinds.leave(old);
    }
    this.rankAt(place, score);
  }

  has(id: PeerId): boolean {
    return this.#places.find(id) !== NO_ROW;
  }

  /** Moves a known peer to another score. Unknown peers are ignored. */
  rank(id: PeerId, score: number | null): void {
    const place = this.#places.find(id);
    if (place !== NO_ROW) this.rankAt(place, score);
  }

  rankAt(place: Row, score: number | null): void {
    const bucket = score === null ? UNRANKED : bucketOf(score);
    if (this.#links[place * ROW + BUCKET] === bucket) return;
    this.#unrank(place);
    if (bucket === UNRANKED) return;
    const kind = this.#kindAt(place);
    this.#kinds.at(kind).ranked.add(this.#links, place, bucket);
    if (bucket <= (this.#tops[kind] as number)) return;
    this.#tops[kind] = bucket;
    this.#rises += 1;
  }

  remove(id: PeerId): void {
    const place = this.#places.find(id);
    if (place === NO_ROW) return;
    this.#unrank(place);
    this.#kinds.leave(this.#kindAt(place));
    this.#places.remove(place);
  }

  query(wanted: TraitFilter, minScore = 0): RankQuery {
    return {
      wanted,
      lowest: bucketOf(minScore),
      kinds: new Uint32Array(),
      version: -1,
      leader: -1,
      runnerUp: -1,
      rises: -1,
    };
  }

  /** The row of one of the best matching peers; `NOWHERE` when none matches. */
  first(query: RankQuery): Row {
    this.#refresh(query);
    if (query.rises !== this.#rises || this.#topOf(query.leader) < query.runnerUp)
      this.#lead(query);
    const bucket = this.#topOf(query.leader);
    if (bucket < query.lowest) return NO_ROW;
    return this.#kinds.at(query.leader).ranked.first(bucket);
  }

  idAt(place: Row): PeerId {
    return this.#places.idAt(place);
  }

  /** Number of matching peers, counted by class, including those below the lowest score. */
  count(query: RankQuery): number {
    this.#refresh(query);
    let count = 0;
    for (const kind of query.kinds) count += this.#kinds.at(kind).ranked.count;
    return count;
  }

  /** The best matching peers, best first, at most so many. */
  best(query: RankQuery, limit: number): PeerId[] {
    this.#refresh(query);
    const cursors = this.#leading(query, limit);
    const found: PeerId[] = [];
    while (found.length < limit) {
      let next: Cursor | null = null;
      for (const cursor of cursors)
        if (cursor.place !== NO_ROW && (next === null || cursor.bucket > next.bucket))
          next = cursor;
      if (next === null || next.bucket < query.lowest) break;
      found.push(this.idAt(next.place));
      this.#advance(next);
    }
    return found;
  }

  /** Scans all classes for the one with the best peer. */
  #lead(query: RankQuery): void {
    const { kinds } = query;
    query.rises = this.#rises;
    query.leader = query.runnerUp = -1;
    let best = -1;
    for (let i = 0; i < kinds.length; i++) {
      const kind = kinds[i] as number;
      const top = this.#tops[kind] as number;
      if (top <= query.runnerUp) continue;
      if (top <= best) {
        query.runnerUp = top;
        continue;
      }
      query.runnerUp = best;
      best = top;
      query.leader = kind;
    }
  }

  #topOf(kind: number): number {
    return kind === -1 ? -1 : (this.#tops[kind] as number);
  }

  /**
   * A cursor on each of the classes with the best peers, at most so many: no other class can contain one of so many
   * best peers.
   */
  #leading({ kinds, lowest }: RankQuery, limit: number): Cursor[] {
    const filled = kinds.filter((kind) => (this.#tops[kind] as number) >= lowest);
    if (filled.length > limit)
      filled.sort((a, b) => (this.#tops[b] as number) - (this.#tops[a] as number));
    return Array.from(filled.subarray(0, limit), (kind) => {
      const bucket = this.#tops[kind] as number;
      return { kind, bucket, place: this.#kinds.at(kind).ranked.first(bucket) };
    });
  }

  #advance(cursor: Cursor): void {
    const { ranked } = this.#kinds.at(cursor.kind);
    cursor.place = ranked.after(this.#links, cursor.place);
    if (cursor.place !== NO_ROW) return;
    cursor.bucket = ranked.below(cursor.bucket);
    if (cursor.bucket !== -1) cursor.place = ranked.first(cursor.bucket);
  }

  #refresh(query: RankQuery): void {
    if (query.version === this.#kinds.version) return;
    query.kinds = this.#kinds.suiting(query.wanted);
    query.version = this.#kinds.version;
    query.rises = -1;
  }

  #kindAt(place: Row): number {
    return this.#links[place * ROW + KIND] as number;
  }

  #unrank(place: Row): void {
    if (this.#links[place * ROW + BUCKET] === UNRANKED) return;
    const kind = this.#kindAt(place);
    const { ranked } = this.#kinds.at(kind);
    ranked.remove(this.#links, place);
    this.#tops[kind] = ranked.top();
  }

  /** Stores the class of an unranked row. */
  #settle(place: Row, traits: Traits): void {
    const kind = this.#kinds.enter(traits);
    if (kind >= this.#tops.length) {
      const longer = new Int16Array(2 * this.#tops.length);
      longer.set(this.#tops);
      this.#tops = longer;
    }
    if (this.#kinds.at(kind).members === 1) this.#tops[kind] = -1;
    this.#links[place * ROW + KIND] = kind;
    this.#links[place * ROW + BUCKET] = UNRANKED;
  }
}

interface Cursor {
  readonly kind: number;
  bucket: number;
  place: Row;
}
