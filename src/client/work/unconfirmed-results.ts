import type { Millis } from "../../base/clock.ts";
import type { HeldTask, PayloadInput } from "../../protocol/messages.ts";
import { RESULT_DOUBT, RESULTS_KEPT_MAX } from "../timings.ts";

export type ResultMessage = PayloadInput<"task_result">;

interface Kept {
  readonly message: ResultMessage;
  /** When it was sent; null while it was not. */
  readonly sentAt: Millis | null;
}

/**
 * Results that may not have reached the mesh: those that had to wait for a session, and those sent so shortly before
 * the socket dropped that nobody knows. Sending one twice does no harm: the mesh refuses the second by its fence.
 */
export class Outbox {
  #kept: readonly Kept[] = [];

  /** Keeps a result; `sentAt` is null if it could not be sent. The oldest makes room. */
  keep(message: ResultMessage, sentAt: Millis | null, now: Millis): void {
    const doubtful = this.#kept.filter((kept) => inDoubt(kept, now));
    this.#kept = [...doubtful, { message, sentAt }].slice(-RESULTS_KEPT_MAX);
  }

  /** The socket dropped: what was sent just before counts as unsent. */
  dropped(now: Millis): void {
    this.#kept = this.#kept
      .filter((kept) => inDoubt(kept, now))
      .map(({ message }) => ({ message, sentAt: null }));
  }

  /** Hands every unsent result to `send`, which answers whether it went out. */
  flush(now: Millis, send: (message: ResultMessage) => boolean): void {
    this.#kept = this.#kept.map((kept) =>
      kept.sentAt === null && send(kept.message) ? { ...kept, sentAt: now } : kept,
    );
  }

  /** The attempts whose result has yet to be sent. */
  unsent(): readonly HeldTask[] {
    return this.#kept
      .filter(({ sentAt }) => sentAt === null)
      .map(({ message: { task_id, fence } }) => ({ task_id, fence }));
  }

  clear(): void {
    this.#kept = [];
  }
}

const inDoubt = ({ sentAt }: Kept, now: Millis): boolean =>
  sentAt === null || now - sentAt < RESULT_DOUBT;
