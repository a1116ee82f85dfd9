import { pointOf, rangesOf, type Axis, type Range } from "./axes.ts";
import type { Metric } from "./distance.ts";
import { KdTree, type Neighbour } from "./kd-tree.ts";

/**
 * A KD-tree over items that change. A change costs nothing: the first query after it builds the tree from the current
 * items.
 */
export class KdSnapshot<T> {
  readonly #read: () => readonly T[];
  readonly #axes: readonly Axis<T>[];
  readonly #metric: Metric;
  #built: { readonly tree: KdTree<T>; readonly ranges: readonly Range[] } | null = null;

  constructor(read: () => readonly T[], axes: readonly Axis<T>[], metric: Metric) {
    this.#read = read;
    this.#axes = axes;
    this.#metric = metric;
  }

  /** An item was changed, added or removed. */
  changed(): void {
    this.#built = null;
  }

  /** The items nearest to this one, which need not be one of them. */
  nearest(to: T): Neighbour<T> | null {
    return this.kNearest(to, 1)[0] ?? null;
  }

  kNearest(to: T, k: number): readonly Neighbour<T>[] {
    const { tree, ranges } = this.#current();
    return tree.kNearest(pointOf(to, this.#axes, ranges), k);
  }

  radius(to: T, bound: number, limit?: number): readonly Neighbour<T>[] {
    const { tree, ranges } = this.#current();
    return tree.radius(pointOf(to, this.#axes, ranges), bound, limit);
  }

  #current() {
    if (this.#built !== null) return this.#built;
    const items = this.#read();
    const ranges = rangesOf(items, this.#axes);
    const points = items.map((item) => pointOf(item, this.#axes, ranges));
    this.#built = { tree: new KdTree(items, points, this.#metric), ranges };
    return this.#built;
  }
}
