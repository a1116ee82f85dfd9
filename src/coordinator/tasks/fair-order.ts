import { inQueueOrder, nextOfLane, type Lane } from "../../registry/lanes.ts";
import type { StoredWaiting } from "../../registry/task-rows.ts";
import type { Shape } from "../../registry/waiting-tasks.ts";
import type { Context } from "../kernel/context.ts";
import type { Waiting } from "./decision.ts";
import { isAssignable } from "./circuits.ts";
import { kindLimit, laneLimit } from "./running-limits.ts";

/** The next task of a lane, and the shape of the lane's tasks. */
interface Head {
  readonly shape: Shape;
  readonly lane: Lane;
  readonly queued: boolean;
  readonly task: StoredWaiting;
}

/**
 * The tasks that some peer could take, in the order in which they are offered. Each is chosen when it is asked for, so that it
 * takes into account what the ones before it got.
 *
 * The task that has the first position of all (by priority and waiting time) says which priority is served. Of the owners that
 * have a task of this priority or a higher one, the one that has got the least for its weight is next, with its first task
 * among those. So an owner's own tasks keep their order, owners share by weight inside a priority, a higher priority never
 * makes a task wait longer, and no task starves: the one with the first position keeps it until its owner's turn.
 */
export class FairOrder {
  readonly #context: Context;
  #heads: Head[] = [];

  constructor(context: Context) {
    this.#context = context;
    const { waiting } = context.registry.tasks;
    for (const shape of waiting.shapes()) {
      if (!isAssignable(context, shape)) continue;
      if (kindLimit(context, shape.kind) === null)
        for (const lane of waiting.lanes(shape, "queued")) this.#push(shape, lane, true);
      // A prefetched task counts as running already: moving it needs no limit's permission.
      if (isAssignable(context, shape, true))
        for (const lane of waiting.lanes(shape, "prefetched")) this.#push(shape, lane, false);
    }
  }

  /** The next task; null when none is left that could be offered. */
  next(): Waiting | null {
    for (;;) {
      const head = this.#choose();
      if (head === null) return null;
      if (head.queued && this.#isHeld(head)) this.#drop(head);
      else {
        this.#advance(head);
        return { ...head.task, shape: head.shape };
      }
    }
  }

  #push(shape: Shape, lane: Lane, queued: boolean): void {
    const task = nextOfLane(lane, null, this.#context.now);
    if (task !== null) this.#heads.push({ shape, lane, queued, task });
  }

  #isHeld({ shape, lane }: Head): boolean {
    return kindLimit(this.#context, shape.kind) !== null || laneLimit(this.#context, lane) !== null;
  }

  #choose(): Head | null {
    const first = least(this.#heads, (a, b) => inQueueOrder(a.task, b.task));
    if (first === null) return null;
    const { shares } = this.#context.registry.tasks;
    const tags = new Map<string, number>();
    const tagOf = ({ lane: { owner } }: Head): number => {
      let tag = tags.get(owner);
      if (tag === undefined) tags.set(owner, (tag = shares.tagOf(owner)));
      return tag;
    };
    const served = this.#heads.filter(({ lane }) => lane.priority >= first.lane.priority);
    return least(served, (a, b) => tagOf(a) - tagOf(b) || inQueueOrder(a.task, b.task));
  }

  #advance(head: Head): void {
    const task = nextOfLane(head.lane, head.task, this.#context.now);
    if (task === null) this.#drop(head);
    else this.#heads[this.#heads.indexOf(head)] = { ...head, task };
  }

  #drop(head: Head): void {
    const last = this.#heads.pop();
    if (last !== undefined && last !== head) this.#heads[this.#heads.indexOf(head)] = last;
  }
}

/** The least item; null when there is none. */
function least<T>(items: readonly T[], compare: (a: T, b: T) => number): T | null {
  let found: T | null = null;
  for (const item of items) if (found === null || compare(item, found) < 0) found = item;
  return found;
}
