import type { TaskOffer } from "../../src/protocol/messages.ts";

/** What callers and peers were told in a history. */
export class HistoryFacts {
  /** The tasks that callers were told of. */
  readonly accepted = new Set<string>();
  /** The tasks that each idempotency key was answered with. */
  readonly byKey = new Map<string, Set<string>>();
  /** The attempts whose result was taken, by their tasks. */
  readonly committed = new Map<string, Set<number>>();
  /** Peers that were admitted although their revocation was confirmed before they asked. */
  readonly wronglyAdmitted: string[] = [];
  /** The peer that was offered each attempt, by task and fence. */
  readonly #offered = new Map<string, string>();
  /** Attempts that two peers were offered. */
  readonly offeredTwice: string[] = [];
  /** Whether a task with a concurrency key was submitted. */
  usesConcurrency = false;
  /** The most tasks of the concurrency key that were begun at once. */
  mostAtOnce = 0;
  /** Whether the number of cells changed. */
  changesCells = false;

  accept(id: string, key: string | null): void {
    this.accepted.add(id);
    if (key !== null) this.byKey.set(key, (this.byKey.get(key) ?? new Set()).add(id));
  }

  offer({ task_id, fence }: TaskOffer, peerId: string): void {
    const attempt = `${task_id} ${fence}`;
    if ((this.#offered.get(attempt) ?? peerId) !== peerId) this.offeredTwice.push(attempt);
    this.#offered.set(attempt, peerId);
  }

  commit({ task_id, fence }: TaskOffer): void {
    this.committed.set(task_id, (this.committed.get(task_id) ?? new Set()).add(fence));
  }
}
