import type { Millis } from "../base/clock.ts";
import { pick } from "../base/pick.ts";
import { OFFERS_OUTSTANDING_MAX } from "../protocol/constants.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Task } from "../tasks/task.ts";
import { Lanes, type Lane } from "./lanes.ts";
import { shapeKey as keyOf, type Shape } from "./shape.ts";
import { ShapeIndex, type Takers } from "./shape-index.ts";
import { KEPT_FIELDS, type StoredWaiting, type WaitingTask } from "./task-rows.ts";

export type { Shape } from "./shape.ts";

/** Shapes without a waiting task that are kept, because what the roster knows about a shape belongs to it. */
const EMPTY_SHAPES_MAX = 1_000;
/** Up to so many shapes are looked at one by one. */
const FEW_SHAPES = 32;

interface OfShape {
  readonly shape: Shape;
  /** The queued tasks, and those that a busy peer has prefetched. */
  readonly queued: Lanes;
  readonly prefetched: Lanes;
}

/**
 * The tasks that are queued or prefetched, by shape and in queue order, in memory: neither the length of the queue nor its first
 * tasks cost a query, and thousands of tasks that no peer can take cost one check per shape. They are read from the rows
 * after a wake, and after a transaction failed that had changed them.
 */
export class WaitingTasks {
  readonly #read: () => Iterable<StoredWaiting>;
  #shapes: Map<string, OfShape> | null = null;
  /** The shapes of the waiting tasks, by what a peer must have to take one. */
  #index = new ShapeIndex();
  /** What is known of each waiting task, by its ID. */
  readonly #waiting = new Map<string, StoredWaiting>();
  #queued = 0;
  /** The keys of the shapes without a waiting task, the one that has had none for the longest first. */
  readonly #empty = new Set<string>();
  /** The number of queued tasks of each owner that has any. */
  readonly #queuedOf = new Map<string, number>();
  /** The shapes of the queued tasks of each owner, with the number of its tasks of each. */
  readonly #shapesOf = new Map<string, Map<Shape, number>>();
  /** The same of each kind. */
  readonly #queuedKinds = new Map<string, number>();
  /** The tasks that are offered to a peer which has not answered yet, and how many of them each peer has. */
  readonly #offeredTo = new Map<string, PeerId>();
  readonly #offers = new Map<PeerId, number>();
  readonly #on: WaitingEvents;
  /** Whether each open transaction has changed anything, the innermost transaction last. */
  readonly #changed: boolean[] = [];

  /**
   * @param read reads the tasks that are queued, offered or prefetched
   */
  constructor(read: () => Iterable<StoredWaiting>, on: WaitingEvents) {
    this.#read = read;
    this.#on = on;
  }

  /** The number of queued tasks. */
  get length(): number {
    this.#all();
    return this.#queued;
  }

  /** The number of queued tasks of an owner. */
  queuedOf(owner: string): number {
    this.#all();
    return this.#queuedOf.get(owner) ?? 0;
  }

  /** The number of shapes of an owner's queued tasks. */
  shapesOf(owner: string): number {
    this.#all();
    return this.#shapesOf.get(owner)?.size ?? 0;
  }

  /** Whether an owner has a queued task of this shape. */
  hasShape(owner: string, shape: Shape): boolean {
    const known = this.#all().get(keyOf(shape));
    return known !== undefined && this.#shapesOf.get(owner)?.has(known.shape) === true;
  }

  /**
   * Whether a peer has as many unanswered offers as it may have. A prefetched task does not count: it waits for the peer, and
   * not for an answer.
   */
  isWaitedFor(peerId: PeerId): boolean {
    this.#all();
    return (this.#offers.get(peerId) ?? 0) >= OFFERS_OUTSTANDING_MAX;
  }

  /** The shapes of the tasks that are queued or prefetched. */
  shapes(): Iterable<Shape> {
    this.#all();
    return this.#index.all();
  }

  /**
   * Those among them that one of these peers could take, and few others, in the order of all shapes. Where there are fewer shapes than classes of
   * peers, all of them: to look at each is less work.
   */
  shapesFor(takers: Takers, classes: number): Iterable<Shape> {
    this.#all();
    const few = this.#index.size <= Math.max(FEW_SHAPES, classes);
    return few ? this.#index.all() : this.#index.candidates(takers);
  }

  /** The queued tasks of a shape, or those that are prefetched, in lanes. */
  lanes(shape: Shape, which: "queued" | "prefetched"): Iterable<Lane> {
    return this.#all().get(keyOf(shape))?.[which].all() ?? [];
  }

  /** The number of queued tasks of each kind that has any. */
  queuedKinds(): ReadonlyMap<string, number> {
    this.#all();
    return this.#queuedKinds;
  }

  /** Queued tasks of a shape that may be offered now, in queue order; a negative limit means all. */
  queued(shape: Shape, now: Millis, limit: number): readonly WaitingTask[] {
    const lanes = this.#all().get(keyOf(shape))?.queued;
    return lanes?.inOrder(limit, ({ notBefore }) => notBefore <= now) ?? [];
  }

  /** Prefetched tasks of a shape, in queue order; a negative limit means all. */
  prefetched(shape: Shape, limit: number): readonly WaitingTask[] {
    return (
      this.#all()
        .get(keyOf(shape))
        ?.prefetched.inOrder(limit, () => true) ?? []
    );
  }

  /** All tasks that are queued, or those of the lanes that are wanted. */
  *all(isWanted: (lane: Lane) => boolean = () => true): Iterable<StoredWaiting> {
    for (const { queued } of this.#all().values())
      for (const lane of queued.all()) if (isWanted(lane)) yield* lane.tasks;
  }

  /** A task was written; `seq` reads its sequence number. */
  wrote(task: Omit<StoredWaiting, "seq">, seq: () => number): void {
    // Before the rows are read nothing is known: the read finds this task, too.
    if (this.#shapes === null) return;
    this.#noteChange();
    const known = this.#waiting.get(task.id);
    if (known !== undefined) this.#remove(this.#shapes, known);
    this.#answered(task.id);
    if (isOffered(task)) this.#noteOffer(task);
    else if (task.state === "queued" || task.prefetched) {
      this.#add(this.#shapes, { ...pick(task, KEPT_FIELDS), seq: known?.seq ?? seq() });
      if (task.state === "queued" && this.#queuedOf.get(task.owner) === 1)
        this.#on.arrival(task.owner);
    }
  }

  /** Forgets everything, because many rows were changed at once: they are read again at the next use. */
  forget(): void {
    this.#shapes = null;
  }

  begin(): void {
    this.#changed.push(false);
  }

  commit(): void {
    if (this.#changed.pop() === true) this.#noteChange();
  }

  rollback(): void {
    if (this.#changed.pop() === true) this.#shapes = null;
  }

  /** If the open transaction fails, the tasks are read again. */
  #noteChange(): void {
    if (this.#changed.length > 0) this.#changed[this.#changed.length - 1] = true;
  }

  #all(): ReadonlyMap<string, OfShape> {
    if (this.#shapes !== null) return this.#shapes;
    this.#noteChange(); // the rows may hold what the open transaction wrote
    const shapes = new Map<string, OfShape>();
    this.#index = new ShapeIndex();
    this.#empty.clear();
    this.#queued = 0;
    this.#queuedOf.clear();
    this.#queuedKinds.clear();
    this.#shapesOf.clear();
    this.#waiting.clear();
    this.#offeredTo.clear();
    this.#offers.clear();
    for (const task of this.#read())
      if (isOffered(task)) this.#noteOffer(task);
      else this.#add(shapes, task);
    return (this.#shapes = shapes);
  }

  #noteOffer({ id, peerId }: Pick<StoredWaiting, "id" | "peerId">): void {
    if (peerId === null) return;
    this.#offeredTo.set(id, peerId);
    this.#offers.set(peerId, (this.#offers.get(peerId) ?? 0) + 1);
  }

  #answered(taskId: string): void {
    const peerId = this.#offeredTo.get(taskId);
    if (peerId === undefined) return;
    const offers = this.#offers.get(peerId) ?? 0;
    this.#offeredTo.delete(taskId);
    if (offers > 1) this.#offers.set(peerId, offers - 1);
    else this.#offers.delete(peerId);
    if (offers === OFFERS_OUTSTANDING_MAX) this.#on.answer(peerId);
  }

  #add(shapes: Map<string, OfShape>, task: StoredWaiting): void {
    this.#waiting.set(task.id, task);
    const { shape, queued, prefetched } = this.#ofShape(shapes, task);
    if (task.state === "queued") {
      this.#countQueued(task, shape, 1);
      queued.add(task);
    } else prefetched.add(task);
    this.#index.add(shape);
  }

  #remove(shapes: Map<string, OfShape>, task: StoredWaiting): void {
    this.#waiting.delete(task.id);
    const { shape, queued, prefetched } = this.#ofShape(shapes, task);
    if (queued.remove(task)) this.#countQueued(task, shape, -1);
    else prefetched.remove(task);
    if (queued.size + prefetched.size > 0) return;
    this.#index.remove(shape);
    this.#forgetEmpty(shapes, keyOf(shape));
  }

  /** Keeps a shape that has no task any more, and forgets the one that has had none for the longest if there are too many. */
  #forgetEmpty(shapes: Map<string, OfShape>, key: string): void {
    this.#empty.add(key);
    const [oldest] = this.#empty;
    if (this.#empty.size <= EMPTY_SHAPES_MAX || oldest === undefined) return;
    this.#empty.delete(oldest);
    shapes.delete(oldest);
  }

  #ofShape(shapes: Map<string, OfShape>, { kind, requirements }: Shape): OfShape {
    const key = keyOf({ kind, requirements });
    this.#empty.delete(key);
    const known = shapes.get(key);
    if (known !== undefined) return known;
    const shape = { kind, requirements };
    const made = { shape, queued: new Lanes(), prefetched: new Lanes() };
    shapes.set(key, made);
    return made;
  }

  #countQueued({ owner, kind }: StoredWaiting, shape: Shape, by: number): void {
    this.#queued += by;
    addTo(this.#queuedOf, owner, by);
    addTo(this.#queuedKinds, kind, by);
    const shapes = this.#shapesOf.get(owner) ?? new Map<Shape, number>();
    addTo(shapes, shape, by);
    if (shapes.size > 0) this.#shapesOf.set(owner, shapes);
    else this.#shapesOf.delete(owner);
  }
}

/** Changes a count. One of 0 is dropped. */
function addTo<K>(counts: Map<K, number>, key: K, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

/** What `WaitingTasks` reports. */
export interface WaitingEvents {
  /** A peer that may get no more offers has answered one. */
  answer(peerId: PeerId): void;
  /** An owner that had no queued task has one. */
  arrival(owner: string): void;
}

const isOffered = ({ state, prefetched }: Pick<Task, "state" | "prefetched">): boolean =>
  state === "leased" && !prefetched;
