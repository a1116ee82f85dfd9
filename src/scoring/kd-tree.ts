import { distance, leastDistance, unit, type Metric, type Point } from "./distance.ts";
import { Nearest } from "./nearest.ts";

export interface Neighbour<T> {
  readonly item: T;
  readonly distance: number;
}

/** Ranges of at most so many points are scanned, which is faster than splitting them further. */
const LEAF = 12;

/**
 * A KD-tree for nearest-neighbor queries (Bentley 1975; median splits on the widest axis, so the tree is an order of
 * the points and needs no nodes). Immutable: `KdSnapshot` rebuilds it after changes. Results come nearest first,
 * equally near ones in the order of the items.
 */
export class KdTree<T> {
  readonly #items: readonly T[];
  readonly #metric: Metric;
  readonly #dimension: number;
  /** Coordinates of item n from n * dimension on. */
  readonly #points: Float64Array;
  readonly #order: Uint32Array;
  /** The axis on which the range is split whose middle is here. */
  readonly #axes: Uint8Array;

  /** @param points one for each item, all finite and of one dimension, of 1 to 255. */
  constructor(items: readonly T[], points: readonly Point[], metric: Metric) {
    this.#items = items;
    this.#metric = metric;
    this.#dimension = points[0]?.length ?? 0;
    this.#points = new Float64Array(items.length * this.#dimension);
    for (const [n, point] of points.entries())
      this.#points.set(metric === "cosine" ? unit(point) : point, n * this.#dimension);
    this.#order = Uint32Array.from(items.keys());
    this.#axes = new Uint8Array(items.length);
    this.#build(0, items.length);
  }

  get size(): number {
    return this.#items.length;
  }

  /** Null for an empty tree, and for a query that is not a point of its space. */
  nearest(query: Point): Neighbour<T> | null {
    return this.kNearest(query, 1)[0] ?? null;
  }

  /** The `k` nearest, or all if there are fewer. */
  kNearest(query: Point, k: number): readonly Neighbour<T>[] {
    return this.#search(query, new Nearest(Math.min(k, this.size), Number.POSITIVE_INFINITY));
  }

  /** All within this distance, the bound included; at most so many, the nearest. */
  radius(query: Point, bound: number, limit = Number.POSITIVE_INFINITY): readonly Neighbour<T>[] {
    return this.#search(query, new Nearest(Math.min(limit, this.size), bound));
  }

  #search(query: Point, found: Nearest): readonly Neighbour<T>[] {
    const inSpace = query.length === this.#dimension && Array.from(query).every(Number.isFinite);
    if (!inSpace || !(found.room > 0)) return [];
    this.#visit(this.#metric === "cosine" ? unit(query) : query, 0, this.size, found);
    return found.sorted().map(({ index, distance: far }) => ({
      item: this.#items[index] as T,
      distance: far,
    }));
  }

  #visit(query: Point, from: number, to: number, found: Nearest): void {
    if (to - from <= LEAF) {
      for (let i = from; i < to; i++) this.#offer(query, i, found);
      return;
    }
    const middle = (from + to) >> 1;
    const axis = this.#axes[middle] as number;
    const beyond = (query[axis] as number) - this.#coordinate(middle, axis);
    this.#offer(query, middle, found);
    if (beyond <= 0) this.#visit(query, from, middle, found);
    else this.#visit(query, middle + 1, to, found);
    if (leastDistance(this.#metric, beyond) > found.bound) return;
    if (beyond <= 0) this.#visit(query, middle + 1, to, found);
    else this.#visit(query, from, middle, found);
  }

  #offer(query: Point, at: number, found: Nearest): void {
    const index = this.#order[at] as number;
    const start = index * this.#dimension;
    const point = this.#points.subarray(start, start + this.#dimension);
    found.offer(index, distance(this.#metric, query, point));
  }

  #build(from: number, to: number): void {
    if (to - from <= LEAF) return;
    const middle = (from + to) >> 1;
    const axis = this.#widest(from, to);
    this.#axes[middle] = axis;
    this.#select(from, to, middle, axis);
    this.#build(from, middle);
    this.#build(middle + 1, to);
  }

  #widest(from: number, to: number): number {
    let [widest, extent] = [0, -1];
    for (let axis = 0; axis < this.#dimension; axis++) {
      let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let i = from; i < to; i++) {
        min = Math.min(min, this.#coordinate(i, axis));
        max = Math.max(max, this.#coordinate(i, axis));
      }
      if (max - min > extent) [widest, extent] = [axis, max - min];
    }
    return widest;
  }

  /** Reorders so that no item before `middle` is greater on this axis, and none after it is less (Hoare's FIND). */
  #select(from: number, to: number, middle: number, axis: number): void {
    let [low, high] = [from, to - 1];
    while (low < high) {
      const pivot = this.#coordinate((low + high) >> 1, axis);
      let [i, j] = [low, high];
      while (i <= j) {
        while (this.#coordinate(i, axis) < pivot) i++;
        while (this.#coordinate(j, axis) > pivot) j--;
        if (i <= j) this.#swap(i++, j--);
      }
      if (j < middle) low = i;
      if (middle < i) high = j;
    }
  }

  #swap(i: number, j: number): void {
    const held = this.#order[i] as number;
    this.#order[i] = this.#order[j] as number;
    this.#order[j] = held;
  }

  #coordinate(at: number, axis: number): number {
    return this.#points[(this.#order[at] as number) * this.#dimension + axis] as number;
  }
}
