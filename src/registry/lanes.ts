import type { Millis } from "../base/clock.ts";
import type { Task } from "../tasks/task.ts";
import type { StoredWaiting } from "./task-rows.ts";

/** What the tasks of a lane have in common: the limits that hold one of them hold them all. */
export type LaneTraits = Pick<Task, "source" | "owner" | "priority" | "concurrency">;

/** Waiting tasks of one shape, source, owner, priority and concurrency key, in queue order. */
export interface Lane extends LaneTraits {
  readonly tasks: StoredWaiting[];
}

/** The lanes of one shape. A lane without a task is dropped. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  all(): Iterable<Lane> {
    return this.#lanes.values();
  }

  add(task: StoredWaiting): void {
    const key = laneKey(task);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      const { source, owner, priority, concurrency } = task;
      this.#lanes.set(key, (lane = { source, owner, priority, concurrency, tasks: [] }));
    }
    lane.tasks.splice(placeOf(lane.tasks, task), 0, task);
    this.#size++;
  }

  /** False when the task is not here. */
  remove(task: StoredWaiting): boolean {
    const key = laneKey(task);
    const tasks = this.#lanes.get(key)?.tasks ?? [];
    const place = placeOf(tasks, task);
    if (tasks[place]?.id !== task.id) return false;
    tasks.splice(place, 1);
    this.#size--;
    if (tasks.length === 0) this.#lanes.delete(key);
    return true;
  }

  /** The first tasks of all lanes in queue order, at most `limit` (negative: all). */
  inOrder(limit: number, isWanted: (task: StoredWaiting) => boolean): readonly StoredWaiting[] {
    const found = [...this.#lanes.values()].flatMap(({ tasks }) => tasks.filter(isWanted));
    found.sort(inQueueOrder);
    return limit < 0 ? found : found.slice(0, limit);
  }
}

/** The first task of a lane that may be offered now, of those behind `after`. */
export function nextOfLane(
  { tasks }: Lane,
  after: StoredWaiting | null,
  now: Millis,
): StoredWaiting | null {
  let place = after === null ? 0 : placeOf(tasks, after);
  if (after !== null && tasks[place]?.id === after.id) place++;
  for (; place < tasks.length; place++) {
    const task = tasks[place] as StoredWaiting;
    if (task.notBefore <= now) return task;
  }
  return null;
}

/** By position, then by age. */
export const inQueueOrder = (
  a: Pick<StoredWaiting, "queuePosition" | "seq">,
  b: Pick<StoredWaiting, "queuePosition" | "seq">,
): number => a.queuePosition - b.queuePosition || a.seq - b.seq;

/** Where a task is in a list in queue order, or belongs. */
function placeOf(list: readonly StoredWaiting[], task: StoredWaiting): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (inQueueOrder(list[middle] as StoredWaiting, task) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

const laneKey = ({ source, owner, priority, concurrency }: LaneTraits): string =>
  `${source} ${owner} ${priority} ${concurrency === null ? "" : `${concurrency.limit} ${concurrency.key}`}`;
