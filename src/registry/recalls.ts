import { SECOND, type Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Task } from "../tasks/task.ts";

/** How long an answer is waited for before the task is asked back again: a message may be lost. */
const ANSWER_TIMEOUT: Millis = 5 * SECOND;

interface Recall {
  readonly taker: PeerId;
  readonly at: Millis;
}

/**
 * The prefetched tasks that were asked back from the peers where they wait, and that have not come back yet. In memory: what
 * is lost is asked again.
 */
export class Recalls {
  /** By the task's ID, the oldest first. */
  readonly #asked = new Map<string, Recall>();
  /** How often each task was asked back without an answer. */
  readonly #unanswered = new Map<string, number>();
  /** How many tasks were asked back for each peer that has a free slot. */
  readonly #takers = new Map<PeerId, number>();

  /** How many tasks are on their way back. */
  get size(): number {
    return this.#asked.size;
  }

  /** Whether the task is on its way back already. */
  isAsked(taskId: string, now: Millis): boolean {
    this.forgetUnanswered(now);
    return this.#asked.has(taskId);
  }

  /** How many tasks are on their way back for this peer. */
  countFor(taker: PeerId): number {
    return this.#takers.get(taker) ?? 0;
  }

  /** When the answer is overdue that has been waited for the longest; null when none is waited for. */
  get overdueAt(): Millis | null {
    const [oldest] = this.#asked.values();
    return oldest === undefined ? null : oldest.at + ANSWER_TIMEOUT;
  }

  /** How often the peer has not answered when it was asked for the task. */
  unanswered(taskId: string): number {
    return this.#unanswered.get(taskId) ?? 0;
  }

  ask(taskId: string, recall: Recall): void {
    this.#forget(taskId);
    this.#asked.set(taskId, recall);
    this.#takers.set(recall.taker, this.countFor(recall.taker) + 1);
  }

  /** A task was written: it does not come back any more unless it still waits at its peer. */
  wrote({ id, state, prefetched }: Pick<Task, "id" | "state" | "prefetched">): void {
    if (state === "leased" && prefetched) return;
    this.#forget(id);
    this.#unanswered.delete(id);
  }

  /** Does not wait for overdue answers any more. Also for those that were asked in the future, by a clock that was set back since. */
  forgetUnanswered(now: Millis): void {
    for (const [id, { at }] of this.#asked) {
      if (at > now - ANSWER_TIMEOUT && at <= now) return;
      this.#forget(id);
      this.#unanswered.set(id, this.unanswered(id) + 1);
    }
  }

  #forget(taskId: string): void {
    const recall = this.#asked.get(taskId);
    if (recall === undefined) return;
    this.#asked.delete(taskId);
    const left = this.countFor(recall.taker) - 1;
    if (left > 0) this.#takers.set(recall.taker, left);
    else this.#takers.delete(recall.taker);
  }
}
