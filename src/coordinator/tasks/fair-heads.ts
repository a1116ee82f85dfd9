import { inQueueOrder, type Lane } from "../../registry/lanes.ts";
import type { StoredWaiting } from "../../registry/task-rows.ts";
import type { Shape } from "../../registry/waiting-tasks.ts";

/** The next task of a lane, and the shape of the lane's tasks. */
export interface Head {
  readonly shape: Shape;
  readonly lane: Lane;
  readonly task: StoredWaiting;
}

/**
 * The heads of one owner's lanes of one priority, either of queued or of prefetched tasks: a binary heap in queue order, because an owner may have as many lanes as
 * tasks (each with its own concurrency key).
 */
export class FairHeads {
  readonly owner: string;
  readonly priority: number;
  readonly queued: boolean;
  readonly #heap: Head[] = [];

  constructor({ owner, priority }: Pick<Lane, "owner" | "priority">, queued: boolean) {
    this.owner = owner;
    this.priority = priority;
    this.queued = queued;
  }

  /** The head with the first task; undefined when there is none. */
  get first(): Head | undefined {
    return this.#heap[0];
  }

  add(head: Head): void {
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const above = (place - 1) >>> 1;
      const parent = heap[above] as Head;
      if (!isBefore(head, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = head;
  }

  /** Replaces the first head. */
  replaceFirst(head: Head): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      const [left, right] = [heap[below], heap[below + 1]];
      if (left === undefined) break;
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (child === right) below++;
      if (!isBefore(child, head)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = head;
  }

  dropFirst(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.replaceFirst(last);
  }
}

const isBefore = (a: Head, b: Head): boolean => inQueueOrder(a.task, b.task) < 0;
