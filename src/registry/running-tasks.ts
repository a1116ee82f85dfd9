import { UndoMap } from "../base/undo-map.ts";
import { isHeld, type Task } from "../tasks/task.ts";

/** What is counted of a task that a peer holds. */
export type Running = Pick<Task, "id" | "kind" | "source" | "owner" | "concurrency">;

type Count = `owner ${string}` | `kind ${string}` | `key ${string}`;

/**
 * How many tasks peers hold, by owner, kind and concurrency key, in memory. An offered and a prefetched task counts: it may begin
 * at any moment.
 */
export class RunningTasks {
  readonly #held = new UndoMap<string, Running>();
  readonly #counts = new UndoMap<Count, number>();
  readonly #maps = [this.#held, this.#counts] as const;

  /** Counts again what peers hold. */
  reset(held: Iterable<Running>): void {
    for (const map of this.#maps) map.clear();
    for (const task of held) this.#add(task);
  }

  ofOwner = (owner: string): number => this.#counts.get(`owner ${owner}`) ?? 0;

  ofKind = (kind: string): number => this.#counts.get(`kind ${kind}`) ?? 0;

  ofKey = (owner: string, key: string): number => this.#counts.get(keyOf(owner, key)) ?? 0;

  /** The tasks that peers hold. */
  *all(): Iterable<Running> {
    for (const [, task] of this.#held.entries()) yield task;
  }

  wrote(task: Running & Pick<Task, "state">): void {
    const before = this.#held.get(task.id);
    if ((before !== undefined) === isHeld(task.state)) return;
    if (before === undefined) this.#add(task);
    else {
      this.#held.delete(task.id);
      for (const count of countsOf(before)) this.#count(count, -1);
    }
  }

  begin(): void {
    for (const map of this.#maps) map.begin();
  }

  commit(): void {
    for (const map of this.#maps) map.commit();
  }

  rollback(): void {
    for (const map of this.#maps) map.rollback();
  }

  #add({ id, kind, source, owner, concurrency }: Running): void {
    const task = { id, kind, source, owner, concurrency };
    this.#held.set(id, task);
    for (const count of countsOf(task)) this.#count(count, 1);
  }

  #count(of: Count, by: number): void {
    const count = (this.#counts.get(of) ?? 0) + by;
    if (count > 0) this.#counts.set(of, count);
    else this.#counts.delete(of);
  }
}

const keyOf = (owner: string, key: string): Count => `key ${owner} ${key}`;

const countsOf = ({ kind, owner, concurrency }: Running): readonly Count[] => [
  `owner ${owner}`,
  `kind ${kind}`,
  ...(concurrency === null ? [] : [keyOf(owner, concurrency.key)]),
];
