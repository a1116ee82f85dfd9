import type { Requirements } from "../protocol/http.ts";

/** The kind and requirements of a task. Many tasks of a long queue have the same. */
export interface Shape {
  readonly kind: string;
  readonly requirements: Requirements;
}

/** Number of shapes that ended tasks may have left behind. Beyond it the queue is read again. */
const STRAYS_MAX = 1_000;

/**
 * The distinct shapes of queued tasks, in memory: thousands of tasks that no peer can take cost one check per shape.
 * No queued shape is missing. A shape may remain after its last task, until that is noticed.
 */
export class Shapes {
  readonly #read: () => Iterable<Shape>;
  #shapes: Map<string, Shape> | null = null;
  /** Number of shapes when the queue was read. */
  #stored = 0;

  /**
   * @param read reads the shapes of the stored queue; called after a wake, and when too many shapes may be left behind
   */
  constructor(read: () => Iterable<Shape>) {
    this.#read = read;
  }

  all(): Iterable<Shape> {
    return this.#current().values();
  }

  /** Adds the shape of a task that is queued now. */
  add({ kind, requirements }: Shape): void {
    // Before the queue is read nothing is stored: the read finds this shape, too.
    if (this.#shapes === null) return;
    this.#shapes.set(keyOf({ kind, requirements }), { kind, requirements });
    if (this.#shapes.size > this.#stored + STRAYS_MAX) this.#shapes = null;
  }

  /** Removes a shape that no queued task has any more. */
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
