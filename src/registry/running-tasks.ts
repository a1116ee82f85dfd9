import { UndoMap } from "../base/undo-map.ts";
import type { LEASE_STATES } from "../metrics/task-families.ts";
import { isHeld, type Task } from "../tasks/task.ts";

/** What is counted of a task that a peer holds. */
export type Running = Pick<
  Task,
  "id" | "kind" | "source" | "owner" | "concurrency" | "state" | "prefetched"
>;

/** How far the attempt is: its peer has not answered the offer, has no free slot yet, or runs it. */
export type LeaseState = (typeof LEASE_STATES)[number];

type Count = `owner ${string}` | `kind ${string}` | `key ${string}` | `lease ${LeaseState}`;

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

  ofLease = (state: LeaseState): number => this.#counts.get(`lease ${state}`) ?? 0;

  /** The number of tasks of each kind. */
  *kinds(): Iterable<readonly [kind: string, tasks: number]> {
    for (const [count, tasks] of this.#counts.entries())
      if (count.startsWith(KIND)) yield [count.slice(KIND.length), tasks];
  }

  ofKey = (owner: string, key: string): number => this.#counts.get(keyOf(owner, key)) ?? 0;

  /** The tasks that peers hold. */
  *all(): Iterable<Running> {
    for (const [, task] of this.#held.entries()) yield task;
  }

  wrote(task: Running): void {
    const before = this.#held.get(task.id);
    if (before === undefined) {
      if (isHeld(task.state)) this.#add(task);
    } else if (!isHeld(task.state)) {
      this.#held.delete(task.id);
      for (const count of countsOf(before)) this.#count(count, -1);
    } else if (leaseOf(before) !== leaseOf(task)) {
      this.#count(`lease ${leaseOf(before)}`, -1);
      this.#count(`lease ${leaseOf(task)}`, 1);
      this.#held.set(task.id, { ...before, state: task.state, prefetched: task.prefetched });
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

  #add({ id, kind, source, owner, concurrency, state, prefetched }: Running): void {
    const task = { id, kind, source, owner, concurrency, state, prefetched };
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

const KIND = "kind ";

const countsOf = (task: Running): readonly Count[] => {
  const { kind, owner, concurrency } = task;
  return [
    `owner ${owner}`,
    `${KIND}${kind}`,
    `lease ${leaseOf(task)}`,
    ...(concurrency === null ? [] : [keyOf(owner, concurrency.key)]),
  ];
};

function leaseOf({ state, prefetched }: Running): LeaseState {
  if (state === "running") return "running";
  return prefetched ? "prefetched" : "offered";
}
