import { NO_ROW, type Row } from "./peer-row-table.ts";

/** Scores are ranked to a 1,024th, which is finer than any measurement. */
export const BUCKETS = 1_024;
/** The bucket of an unranked peer. */
export const UNRANKED = 0xffff;

/** The bucket of a score. NaN ranks last. */
export const bucketOf = (score: number): number =>
  score > 0 ? Math.min(BUCKETS - 1, Math.floor(score * BUCKETS)) : 0;

/** Fields of a row of `links`, in words. */
export const ROW = 4;
const NEXT = 0;
const PREV = 1;
/** Free for the owner of the rows. */
export const KIND = 2;
export const BUCKET = 3;

/** Buckets per group. Heads are allocated group by group, because similar peers have similar scores. */
const GROUP = 32;

/**
 * Peers by score: 1,024 buckets, each a ring of rows in a `links` array that its owner shares among many such sets.
 * Adding and removing take three writes, finding the best takes two `clz32`. Within a bucket the first added is first,
 * so equal peers take turns.
 */
export class ScoreBuckets {
  readonly #heads: (Uint32Array | undefined)[] = Array.from({ length: BUCKETS / GROUP });
  /** One bit for each bucket that is filled, and one for each group that has a filled bucket. */
  readonly #filled = new Uint32Array(BUCKETS / GROUP);
  #groups = 0;
  #allocated = 0;
  count = 0;

  /** Size of its arrays in bytes, without the objects around them. */
  get bytes(): number {
    return this.#filled.byteLength + this.#allocated * GROUP * Uint32Array.BYTES_PER_ELEMENT;
  }

  add(links: Uint32Array, place: Row, bucket: number): void {
    const group = bucket >> 5;
    const bit = 1 << (bucket & 31);
    const heads = (this.#heads[group] ??= this.#allocate());
    const row = place * ROW;
    if (((this.#filled[group] as number) & bit) === 0) {
      heads[bucket & 31] = links[row + NEXT] = links[row + PREV] = place;
      this.#filled[group] = (this.#filled[group] as number) | bit;
      this.#groups |= 1 << group;
    } else {
      const head = heads[bucket & 31] as number;
      const tail = links[head * ROW + PREV] as number;
      links[row + NEXT] = head;
      links[row + PREV] = tail;
      links[tail * ROW + NEXT] = links[head * ROW + PREV] = place;
    }
    links[row + BUCKET] = bucket;
    this.count += 1;
  }

  remove(links: Uint32Array, place: Row): void {
    const row = place * ROW;
    const bucket = links[row + BUCKET] as number;
    const group = bucket >> 5;
    const heads = this.#heads[group] as Uint32Array;
    const next = links[row + NEXT] as number;
    if (next === place) {
      const filled = (this.#filled[group] as number) & ~(1 << (bucket & 31));
      this.#filled[group] = filled;
      if (filled === 0) this.#groups &= ~(1 << group);
    } else {
      const prev = links[row + PREV] as number;
      links[prev * ROW + NEXT] = next;
      links[next * ROW + PREV] = prev;
      if (heads[bucket & 31] === place) heads[bucket & 31] = next;
    }
    links[row + BUCKET] = UNRANKED;
    this.count -= 1;
  }

  /** The best filled bucket; -1 when all are empty. */
  top(): number {
    if (this.#groups === 0) return -1;
    const group = 31 - Math.clz32(this.#groups);
    return (group << 5) | (31 - Math.clz32(this.#filled[group] as number));
  }

  /** The best filled bucket below this one; -1 when there is none. */
  below(bucket: number): number {
    const group = bucket >> 5;
    const here = (this.#filled[group] as number) & ((1 << (bucket & 31)) - 1);
    if (here !== 0) return (group << 5) | (31 - Math.clz32(here));
    const lower = this.#groups & ((1 << group) - 1);
    if (lower === 0) return -1;
    const next = 31 - Math.clz32(lower);
    return (next << 5) | (31 - Math.clz32(this.#filled[next] as number));
  }

  /** The first row in a filled bucket. */
  first(bucket: number): Row {
    return (this.#heads[bucket >> 5] as Uint32Array)[bucket & 31] as number;
  }

  /** The row behind this one in its bucket; `NOWHERE` behind the last. */
  after(links: Uint32Array, place: Row): Row {
    const next = links[place * ROW + NEXT] as number;
    return next === this.first(links[place * ROW + BUCKET] as number) ? NO_ROW : next;
  }

  #allocate(): Uint32Array {
    this.#allocated += 1;
    return new Uint32Array(GROUP);
  }
}
