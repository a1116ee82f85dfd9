import { UndoMap } from "../base/undo-map.ts";

/** The bytes of one task. */
export interface TaskBytes {
  readonly owner: string;
  readonly bytes: number;
}

/** The bytes of an owner's ended tasks. */
export type OwnerTotal = readonly [owner: string, bytes: number];

/**
 * How many bytes the tasks of each owner take, in memory. Those of tasks that have not ended are counted from the rows at every
 * wake. Those of ended tasks are counted from their index when they are first asked for, which is when the store fills up.
 */
export class OwnerBytes {
  readonly #open = new UndoMap<string, TaskBytes>();
  readonly #openOf = new UndoMap<string, number>();
  readonly #maps = [this.#open, this.#openOf] as const;
  readonly #readEnded: () => Iterable<OwnerTotal>;
  #ended: Map<string, number> | null = null;
  /** Whether each open transaction has changed what is known of ended tasks, the innermost transaction last. */
  readonly #changed: boolean[] = [];

  /** @param readEnded reads the bytes of ended tasks by owner */
  constructor(readEnded: () => Iterable<OwnerTotal>) {
    this.#readEnded = readEnded;
  }

  /** Counts again what has not ended. What has ended is counted again at its next use. */
  reset(open: Iterable<TaskBytes & { readonly id: string }>): void {
    for (const map of this.#maps) map.clear();
    for (const { id, ...task } of open) this.opened(id, task);
    this.#noteChange();
    this.#ended = null;
  }

  /** Bytes of the owner's tasks that have not ended. */
  openOf = (owner: string): number => this.#openOf.get(owner) ?? 0;

  /** Bytes of the tasks that have not ended, by owner. */
  openOwners = (): readonly OwnerTotal[] => [...this.#openOf.entries()];

  /** The task, if it has not ended. */
  open = (id: string): TaskBytes | undefined => this.#open.get(id);

  /** Bytes of ended tasks of each owner that has any. */
  ended(): Iterable<OwnerTotal> {
    return this.#allEnded().entries();
  }

  /** Bytes of the owner's ended tasks. */
  endedOf = (owner: string): number => this.#allEnded().get(owner) ?? 0;

  /** A task was accepted, or is put back into the queue. */
  opened(id: string, { owner, bytes }: TaskBytes): void {
    this.#open.set(id, { owner, bytes });
    this.#openOf.set(owner, this.openOf(owner) + bytes);
  }

  /** A task that was open has ended. */
  closed(id: string): void {
    const task = this.#open.get(id);
    if (task === undefined) return;
    this.#open.delete(id);
    const left = this.openOf(task.owner) - task.bytes;
    if (left > 0) this.#openOf.set(task.owner, left);
    else this.#openOf.delete(task.owner);
  }

  /** Ended tasks of an owner take so many bytes more, or less. */
  addEnded(owner: string, bytes: number): void {
    if (this.#ended === null) return; // they are counted with the others
    this.#noteChange();
    const sum = (this.#ended.get(owner) ?? 0) + bytes;
    if (sum > 0) this.#ended.set(owner, sum);
    else this.#ended.delete(owner);
  }

  begin(): void {
    for (const map of this.#maps) map.begin();
    this.#changed.push(false);
  }

  commit(): void {
    for (const map of this.#maps) map.commit();
    if (this.#changed.pop() === true) this.#noteChange();
  }

  rollback(): void {
    for (const map of this.#maps) map.rollback();
    if (this.#changed.pop() === true) this.#ended = null;
  }

  #allEnded(): ReadonlyMap<string, number> {
    if (this.#ended !== null) return this.#ended;
    this.#noteChange(); // the rows may hold what the open transaction wrote
    return (this.#ended = new Map(this.#readEnded()));
  }

  /** If the open transaction fails, ended tasks are counted again. */
  #noteChange(): void {
    if (this.#changed.length > 0) this.#changed[this.#changed.length - 1] = true;
  }
}
