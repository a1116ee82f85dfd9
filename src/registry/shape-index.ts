import type { PeerId } from "../protocol/ids.ts";
import { EVERY_KIND } from "../protocol/messages.ts";
import type { Traits } from "../scoring/peer-classes.ts";
import { comparisonOf, holds, nameOf, valuesOf } from "../tasks/capabilities.ts";
import type { Shape } from "./shape.ts";

/** The peers that may get a task now, as far as the index needs to know them. */
export interface Takers {
  /** The traits of each class of such peers. */
  classes(): Iterable<Traits>;
  /** Of these peers those that may get a task now. */
  among(named: ReadonlyMap<PeerId, unknown>): Iterable<PeerId>;
}

type Shapes = Set<Shape>;

/** The shapes of one kind that name no peer, each in one place. */
interface OfKind {
  /** Those that require no label. */
  readonly open: Shapes;
  /** By a label that is required with its value, or by a name. */
  readonly byLabel: Map<string, Shapes>;
  readonly byName: Map<string, Shapes>;
  /** By a name and an operator, then by the bound. */
  readonly byComparison: Map<string, Map<string, Bounds>>;
}

/**
 * The shapes of waiting tasks, by what a peer must have to take one: first the kind, then the named peer or one of the required labels.
 * So a change of one peer leads to the shapes that it could take, and not to thousands of others. The shapes that it finds are candidates: what else they require
 * is not considered.
 */
export class ShapeIndex {
  readonly #kinds = new Map<string, OfKind>();
  readonly #named = new Map<PeerId, Shapes>();
  /** Where each shape is, and how its place is dropped when it is empty. */
  readonly #places = new Map<Shape, { readonly shapes: Shapes; readonly drop: () => void }>();

  get size(): number {
    return this.#places.size;
  }

  all(): Iterable<Shape> {
    return this.#places.keys();
  }

  add(shape: Shape): void {
    if (this.#places.has(shape)) return;
    const place = this.#placeFor(shape);
    place.shapes.add(shape);
    this.#places.set(shape, place);
  }

  remove(shape: Shape): void {
    const place = this.#places.get(shape);
    if (place === undefined) return;
    this.#places.delete(shape);
    place.shapes.delete(shape);
    if (place.shapes.size === 0) place.drop();
  }

  /** Every shape that one of these peers could take, and few others. */
  candidates(takers: Takers): ReadonlySet<Shape> {
    const found: Shapes = new Set();
    const seen = new Set<object>();
    const take = (shapes: Shapes | undefined) => {
      if (shapes === undefined || seen.has(shapes)) return;
      seen.add(shapes);
      for (const shape of shapes) found.add(shape);
    };
    for (const id of takers.among(this.#named)) take(this.#named.get(id));
    for (const { kinds, capabilities } of takers.classes()) {
      const handled = kinds.includes(EVERY_KIND) ? this.#kinds.keys() : kinds;
      for (const kind of handled) {
        const ofKind = this.#kinds.get(kind);
        if (ofKind !== undefined) takeMatching(ofKind, capabilities, take);
      }
    }
    return found;
  }

  #placeFor({ kind, requirements: { peer_id: named, capabilities } }: Shape) {
    if (named !== undefined) return placeIn(this.#named, named);
    let ofKind = this.#kinds.get(kind);
    if (ofKind === undefined) {
      ofKind = { open: new Set(), byLabel: new Map(), byName: new Map(), byComparison: new Map() };
      this.#kinds.set(kind, ofKind);
    }
    const place = placeOfKind(ofKind, capabilities);
    const drop = () => {
      place.drop();
      const { open, byLabel, byName, byComparison } = ofKind;
      if (open.size + byLabel.size + byName.size + byComparison.size === 0)
        this.#kinds.delete(kind);
    };
    return { shapes: place.shapes, drop };
  }
}

/** The shapes that compare a number by one operator, by the bound. */
class Bounds {
  readonly #operator: string;
  /** The bound that most numbers meet first. */
  readonly #order: number[] = [];
  readonly #shapes = new Map<number, Shapes>();

  constructor(operator: string) {
    this.#operator = operator;
  }

  get size(): number {
    return this.#shapes.size;
  }

  sizeAt(bound: number): number {
    return this.#shapes.get(bound)?.size ?? 0;
  }

  placeFor(bound: number): Place {
    if (!this.#shapes.has(bound)) this.#order.splice(this.#placeOf(bound), 0, bound);
    const { shapes, drop } = placeIn(this.#shapes, bound);
    return {
      shapes,
      drop: () => {
        drop();
        this.#order.splice(this.#placeOf(bound), 1);
      },
    };
  }

  /** Takes the shapes whose bound one of the numbers meets. */
  takeMet(values: readonly number[], take: (shapes: Shapes | undefined) => void): void {
    const value = this.#isLeast ? Math.max(...values) : Math.min(...values);
    for (const bound of this.#order) {
      if (!holds(value, this.#operator, bound)) return;
      take(this.#shapes.get(bound));
    }
  }

  /** Whether the bound is the least number (`>=` or `>`), rather than the greatest. */
  get #isLeast(): boolean {
    return this.#operator.startsWith(">");
  }

  #placeOf(bound: number): number {
    const sign = this.#isLeast ? 1 : -1;
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sign * (this.#order[middle] as number) < sign * bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Place {
  readonly shapes: Shapes;
  readonly drop: () => void;
}

/** Under the required label that the fewest shapes have: one that all shapes require would distinguish nothing. */
function placeOfKind(ofKind: OfKind, capabilities: readonly string[]): Place {
  let best: (() => Place) | null = null;
  let fewest = Infinity;
  for (const wanted of capabilities) {
    const { size, place } = labelPlace(ofKind, wanted);
    if (size < fewest) [best, fewest] = [place, size];
  }
  return best?.() ?? { shapes: ofKind.open, drop: () => {} };
}

function labelPlace({ byLabel, byName, byComparison }: OfKind, wanted: string) {
  const comparison = comparisonOf(wanted);
  if (comparison === null) {
    const map = wanted.includes("=") ? byLabel : byName;
    return { size: map.get(wanted)?.size ?? 0, place: () => placeIn(map, wanted) };
  }
  const { name, operator } = comparison;
  const bound = Number(comparison.bound);
  const size = byComparison.get(name)?.get(operator)?.sizeAt(bound) ?? 0;
  const place = (): Place => {
    const operators = getOrMake(byComparison, name, () => new Map<string, Bounds>());
    const bounds = getOrMake(operators, operator, () => new Bounds(operator));
    const { shapes, drop } = bounds.placeFor(bound);
    return {
      shapes,
      drop() {
        drop();
        if (bounds.size === 0) operators.delete(operator);
        if (operators.size === 0) byComparison.delete(name);
      },
    };
  };
  return { size, place };
}

function placeIn<K>(map: Map<K, Shapes>, key: K): Place {
  return { shapes: getOrMake(map, key, () => new Set<Shape>()), drop: () => map.delete(key) };
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function takeMatching(
  { open, byLabel, byName, byComparison }: OfKind,
  labels: readonly string[],
  take: (shapes: Shapes | undefined) => void,
): void {
  take(open);
  for (const label of labels) {
    take(byLabel.get(label));
    const name = nameOf(label);
    take(byName.get(name));
  }
  // Few names are compared, and a label may have any of its prefixes as the name of a number (`a=b=3`).
  for (const [name, operators] of byComparison) {
    const values = valuesOf(labels, name);
    if (values.length === 0) continue;
    for (const bounds of operators.values()) bounds.takeMet(values, take);
  }
}

/** The IDs that are in both, by looking for each of the fewer ones. */
export function* inBoth(
  takers: ReadonlySet<PeerId>,
  named: ReadonlyMap<PeerId, unknown>,
): Iterable<PeerId> {
  if (takers.size <= named.size) {
    for (const id of takers) if (named.has(id)) yield id;
  } else for (const id of named.keys()) if (takers.has(id)) yield id;
}
