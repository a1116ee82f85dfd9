import { UndoMap } from "../base/undo-map.ts";
import { tagOfArrival } from "../tasks/fair-queue.ts";

/** Owners without waiting tasks whose tags are kept. */
const IDLE_OWNERS_MAX = 1_000;

interface Charged {
  readonly owner: string;
  readonly charge: number;
}

/**
 * What each owner has got lately, for fair queueing (`tasks/fair-queue.ts`), in memory. After a wake every owner begins with the
 * same tag, which is what owners that all wait have anyway.
 */
export class OwnerShares {
  readonly #tags = new UndoMap<string, number>();
  readonly #virtualTime = new UndoMap<"now", number>();
  /** What the offers that nobody has begun were charged, by task. */
  readonly #unbegun = new UndoMap<string, Charged>();
  readonly #maps = [this.#tags, this.#virtualTime, this.#unbegun] as const;

  get virtualTime(): number {
    return this.#virtualTime.get("now") ?? 0;
  }

  /** The owner with the least tag is served next. */
  tagOf(owner: string): number {
    return this.#tags.get(owner) ?? 0;
  }

  /** An owner that had nothing in the queue has a task in it. `waits` says which owners do. */
  arrived(owner: string, waits: (owner: string) => boolean): void {
    if (this.#tags.size >= 2 * IDLE_OWNERS_MAX) this.#prune(waits);
    this.#tags.set(owner, tagOfArrival(this.#tags.get(owner), this.virtualTime));
  }

  /** A task of an owner is offered. */
  served(taskId: string, owner: string, charge: number): void {
    const tag = this.tagOf(owner);
    this.#virtualTime.set("now", Math.max(this.virtualTime, tag));
    this.#tags.set(owner, tag + charge);
    this.#unbegun.set(taskId, { owner, charge });
  }

  /** Nobody began the task that was offered: its owner got nothing. */
  returned(taskId: string): void {
    const charged = this.#unbegun.get(taskId);
    if (charged === undefined) return;
    this.#tags.set(charged.owner, Math.max(0, this.tagOf(charged.owner) - charged.charge));
    this.#unbegun.delete(taskId);
  }

  /** A peer has begun the task, or it has ended. */
  settled(taskId: string): void {
    if (this.#unbegun.get(taskId) !== undefined) this.#unbegun.delete(taskId);
  }

  /** An owner has another name from now on, and has got what it had got before. */
  handOver(from: string, to: string): void {
    const tag = this.#tags.get(from);
    if (tag !== undefined) this.#tags.set(to, tag);
    this.#tags.delete(from);
    for (const [taskId, { owner, charge }] of this.#unbegun.entries())
      if (owner === from) this.#unbegun.set(taskId, { owner: to, charge });
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

  /** Forgets idle owners, first those whose tags say nothing any more. */
  #prune(waits: (owner: string) => boolean): void {
    const idle = [...this.#tags.entries()].filter(([owner]) => !waits(owner));
    let over = idle.length - IDLE_OWNERS_MAX;
    for (const [owner] of idle.toSorted(([, a], [, b]) => a - b))
      if (over-- > 0) this.#tags.delete(owner);
  }
}
