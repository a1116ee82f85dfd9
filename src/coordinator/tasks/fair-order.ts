import { inQueueOrder, nextOfLane, type Lane } from "../../registry/lanes.ts";
import type { Shape } from "../../registry/waiting-tasks.ts";
import type { Context } from "../kernel/context.ts";
import type { Waiting } from "./decision.ts";
import { isAssignable } from "./circuits.ts";
import { FairHeads, type Head } from "./fair-heads.ts";
import { kindLimit, laneLimit, type RunningLimit } from "./running-limits.ts";

/**
 * The tasks that some peer could take, in the order in which they are offered. Each is chosen when it is asked for, so that it
 * takes into account what the ones before it got.
 *
 * The task that has the first position of all (by priority and waiting time) says which priority is served. Of the owners that
 * have a task of this priority or a higher one, the one that has got the least for its weight is next, with its first task
 * among those. So an owner's own tasks keep their order, owners share by weight inside a priority, a higher priority never
 * makes a task wait longer, and no task starves: the one with the first position keeps it until its owner's turn.
 *
 * Of owners that have got equally little the one with the fewest queued tasks is next. Where many begin to wait at once, a lone
 * task thus does not wait for one task of each; the others wait for each other anyway.
 */
export class FairOrder {
  readonly #context: Context;
  readonly #groups = new Map<string, FairHeads>();

  constructor(context: Context) {
    this.#context = context;
    const { roster, tasks } = context.registry;
    const { waiting } = tasks;
    for (const shape of waiting.shapesFor(roster.takers(), roster.classes)) {
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
      const group = this.#choose();
      const head = group?.first;
      if (group === null || head === undefined) return null;
      const limit = group.queued ? this.#limitOf(head) : null;
      if (limit === "owner") this.#groups.delete(keyOf(group));
      else if (limit !== null) this.#drop(group);
      else {
        this.#advance(group, head);
        return { ...head.task, shape: head.shape };
      }
    }
  }

  #push(shape: Shape, lane: Lane, queued: boolean): void {
    if (this.#context.registry.endedOwners.isEnding(lane)) return;
    if (queued && laneLimit(this.#context, lane) !== null) return;
    const task = nextOfLane(lane, null, this.#context.now);
    if (task === null) return;
    const { owner, priority } = lane;
    const key = keyOf({ owner, priority, queued });
    const group = this.#groups.get(key) ?? new FairHeads(lane, queued);
    this.#groups.set(key, group);
    group.add({ shape, lane, task });
  }

  #limitOf({ shape, lane }: Head): RunningLimit | null {
    return laneLimit(this.#context, lane) ?? kindLimit(this.#context, shape.kind);
  }

  #choose(): FairHeads | null {
    const groups = [...this.#groups.values()];
    const first = least(groups, byFirstTask);
    if (first === null) return null;
    const { shares, waiting } = this.#context.registry.tasks;
    const served = groups.filter(({ priority }) => priority >= first.priority);
    return least(
      served,
      (a, b) =>
        shares.tagOf(a.owner) - shares.tagOf(b.owner) ||
        waiting.queuedOf(a.owner) - waiting.queuedOf(b.owner) ||
        byFirstTask(a, b),
    );
  }

  #advance(group: FairHeads, head: Head): void {
    const task = nextOfLane(head.lane, head.task, this.#context.now);
    if (task === null) this.#drop(group);
    else group.replaceFirst({ ...head, task });
  }

  #drop(group: FairHeads): void {
    group.dropFirst();
    if (group.first === undefined) this.#groups.delete(keyOf(group));
  }
}

/** Groups without a head are dropped. */
const byFirstTask = (a: FairHeads, b: FairHeads): number =>
  a.first === undefined || b.first === undefined ? 0 : inQueueOrder(a.first.task, b.first.task);

const keyOf = ({
  owner,
  priority,
  queued,
}: Pick<FairHeads, "owner" | "priority" | "queued">): string => `${owner} ${priority} ${queued}`;

/** The least item; null when there is none. */
function least<T>(items: readonly T[], compare: (a: T, b: T) => number): T | null {
  let found: T | null = null;
  for (const item of items) if (found === null || compare(item, found) < 0) found = item;
  return found;
}
