import type { Requirements } from "../protocol/http.ts";

/** What a task asks of a peer: of a long queue many tasks ask the same. */
export interface Shape {
  readonly kind: string;
  readonly requirements: Requirements;
}

/** Shapes that may have been left behind by tasks that are gone, beyond which the queue is read again. */
const STRAYS_MAX = 1_000;

/**
 * The different things that waiting tasks ask for, in memory: so a queue of thousands that nobody can do costs one look,
 * not one for each of them. None that waits is missing; one may stand here after its last task, until somebody notices.
 */
export class Shapes {
  readonly #read: () => Iterable<Shape>;
  #shapes: Map<string, Shape> | null = null;
  /** How many there were when the queue was read. */
  #stored = 0;

  /** @param read what the stored queue asks for; asked after a wake, and when too many may be left behind. */
  constructor(read: () => Iterable<Shape>) {
    this.#read = read;
  }

  all(): Iterable<Shape> {
    return this.#current().values();
  }

  /** A task of this shape waits now. */
  add({ kind, requirements }: Shape): void {
    // What was not read yet will be read with this one.
    if (this.#shapes === null) return;
    this.#shapes.set(keyOf({ kind, requirements }), { kind, requirements });
    if (this.#shapes.size > this.#stored + STRAYS_MAX) this.#shapes = null;
  }

  /** No task of this shape waits any more. */
  drop(shape: Shape): void {
    this.#shapes?.delete(keyOf(shape));
  }

  #current(): ReadonlyMap<string, Shape> {
    if (this.#shapes !== null) return this.#shapes;
    const shapes = new Map<string, Shape>();
    for (const shape of this.#read()) shapes.set(keyOf(shape), shape);
    this.#stored = shapes.size;
    return (this.#shapes = shapes);
  }
}

const keyOf = ({ kind, requirements }: Shape): string => `${kind} ${JSON.stringify(requirements)}`;
