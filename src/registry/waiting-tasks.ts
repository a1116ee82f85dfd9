import type { Requirements } from "../protocol/http.ts";
import type { Task } from "../tasks/task.ts";

/** The kind and requirements of a task. Many tasks of a long queue have the same. */
export interface Shape {
  readonly kind: string;
  readonly requirements: Requirements;
}

/** What decides whether a task waits. */
export type MaybeWaiting = Pick<Task, "id" | "state" | "prefetched"> & Shape;

/** Shapes without a waiting task that are kept, because what the roster knows about a shape belongs to it. */
const EMPTY_SHAPES_MAX = 1_000;

interface OfShape {
  readonly shape: Shape;
  /** IDs of the queued tasks, and of those that a busy peer has prefetched. */
  readonly queued: Set<string>;
  readonly prefetched: Set<string>;
}

/**
 * Which tasks are queued or prefetched, by shape, in memory: the length of the queue is a counter, a shape that no task has
 * costs no query, and thousands of tasks that no peer can take cost one check per shape. It is read from the rows after a
 * wake, and after a transaction failed that had changed it.
 */
export class WaitingTasks {
  readonly #read: () => Iterable<MaybeWaiting>;
  #shapes: Map<string, OfShape> | null = null;
  #queued = 0;
  /** Whether each open transaction has changed anything, the innermost transaction last. */
  readonly #changed: boolean[] = [];

  /** @param read reads the tasks that are queued or prefetched */
  constructor(read: () => Iterable<MaybeWaiting>) {
    this.#read = read;
  }

  /** The number of queued tasks. */
  get queued(): number {
    this.#all();
    return this.#queued;
  }

  /** The shapes of the tasks that are queued or prefetched. */
  *shapes(): Iterable<Shape> {
    for (const { shape, queued, prefetched } of this.#all().values())
      if (queued.size + prefetched.size > 0) yield shape;
  }

  /** Whether any task of a shape is queued. */
  isQueued(shape: Shape): boolean {
    return (this.#all().get(keyOf(shape))?.queued.size ?? 0) > 0;
  }

  /** Whether any task of a shape is prefetched. */
  isPrefetched(shape: Shape): boolean {
    return (this.#all().get(keyOf(shape))?.prefetched.size ?? 0) > 0;
  }

  /** A task was written. */
  wrote(task: MaybeWaiting): void {
    // Before the rows are read nothing is known: the read finds this task, too.
    if (this.#shapes === null) return;
    if (this.#changed.length > 0) this.#changed[this.#changed.length - 1] = true;
    this.#put(this.#shapes, task);
  }

  begin(): void {
    this.#changed.push(false);
  }

  commit(): void {
    const changed = this.#changed.pop() ?? false;
    if (changed && this.#changed.length > 0) this.#changed[this.#changed.length - 1] = true;
  }

  rollback(): void {
    if (this.#changed.pop() === true) this.#shapes = null;
  }

  #all(): ReadonlyMap<string, OfShape> {
    if (this.#shapes !== null) return this.#shapes;
    const shapes = new Map<string, OfShape>();
    this.#queued = 0;
    for (const task of this.#read()) this.#put(shapes, task);
    return (this.#shapes = shapes);
  }

  #put(shapes: Map<string, OfShape>, { id, kind, requirements, state, prefetched }: MaybeWaiting) {
    const shape = { kind, requirements };
    const known = shapes.get(keyOf(shape));
    const waits = state === "queued" || prefetched;
    if (known === undefined && !waits) return;
    const of = known ?? { shape, queued: new Set(), prefetched: new Set() };
    if (known === undefined) this.#add(shapes, of);
    const before = of.queued.size;
    if (state === "queued") of.queued.add(id);
    else of.queued.delete(id);
    this.#queued += of.queued.size - before;
    if (prefetched) of.prefetched.add(id);
    else of.prefetched.delete(id);
  }

  #add(shapes: Map<string, OfShape>, of: OfShape): void {
    shapes.set(keyOf(of.shape), of);
    if (shapes.size <= EMPTY_SHAPES_MAX) return;
    for (const [key, { queued, prefetched }] of shapes)
      if (queued.size + prefetched.size === 0) shapes.delete(key);
    shapes.set(keyOf(of.shape), of);
  }
}

const keyOf = ({ kind, requirements }: Shape): string => `${kind} ${JSON.stringify(requirements)}`;
