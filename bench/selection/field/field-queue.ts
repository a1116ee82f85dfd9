import { EventQueue } from "../event-queue.ts";
import type { FieldTask, FieldTasks } from "./field-mesh.ts";

/** How many tasks that failed before are tried in turn, when no worker may have the first ones. */
const LOOK_FURTHER = 16;

/** Queued tasks, one queue per kind, each in the order of submission. */
export class FieldQueue implements FieldTasks {
  readonly #kinds: readonly EventQueue[];
  readonly #tasks = new Map<number, FieldTask>();

  constructor(kinds: number) {
    this.#kinds = Array.from({ length: kinds }, () => new EventQueue());
  }

  push(task: FieldTask): void {
    this.#tasks.set(task.task, task);
    this.#kinds[task.kind]?.push(task.task, task.task);
  }

  rest(): Iterable<FieldTask> {
    return this.#tasks.values();
  }

  /** The oldest first. */
  assign(_now: number, assign: (task: FieldTask, cell: number) => boolean): void {
    this.assignAt(0, assign);
  }

  wakesAt(): null {
    return null;
  }

  /** The same for the queue of a cell. */
  assignAt(cell: number, assign: (task: FieldTask, cell: number) => boolean): void {
    const open = this.#kinds.filter((kind) => kind.next() < Infinity);
    while (open.length > 0) {
      let first = 0;
      for (let i = 1; i < open.length; i++)
        if ((open[i] as EventQueue).next() < (open[first] as EventQueue).next()) first = i;
      const kind = open[first] as EventQueue;
      if (!this.#assignFirst(kind, (task) => assign(task, cell)) || kind.next() === Infinity)
        open.splice(first, 1);
    }
  }

  /** Assigns the first task that a worker may have. A task without history stands for all behind it. */
  #assignFirst(kind: EventQueue, assign: (task: FieldTask) => boolean): boolean {
    const passed: number[] = [];
    let found = false;
    while (passed.length < LOOK_FURTHER && kind.next() < Infinity) {
      const id = kind.pop();
      const task = this.#tasks.get(id) as FieldTask;
      if (assign(task)) {
        this.#tasks.delete(id);
        found = true;
        break;
      }
      passed.push(id);
      if (task.tried.length === 0 && task.refused.length === 0) break;
    }
    for (const id of passed) kind.push(id, id);
    return found;
  }
}
