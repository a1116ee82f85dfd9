import type { Millis } from "../../base/clock.ts";
import type { HeldTask, PayloadInput } from "../../protocol/messages.ts";
import { RESULT_RESEND_WINDOW, UNCONFIRMED_RESULTS_MAX } from "../timings.ts";

export type ResultMessage = PayloadInput<"task_result">;

interface UnconfirmedResult {
  readonly message: ResultMessage;
  /** Null until it was sent. */
  readonly sentAt: Millis | null;
}

/**
 * Results that the mesh may not have received: those that could not be sent, and those sent less than
 * `RESULT_RESEND_WINDOW` before the socket closed. A duplicate is harmless: the mesh refuses it by its fence.
 */
export class UnconfirmedResults {
  #results: readonly UnconfirmedResult[] = [];

  /** Adds a result; `sentAt` is null if it could not be sent. Above the maximum the oldest result is dropped. */
  add(message: ResultMessage, sentAt: Millis | null, now: Millis): void {
    const unconfirmed = this.#results.filter((result) => mayBeLost(result, now));
    this.#results = [...unconfirmed, { message, sentAt }].slice(-UNCONFIRMED_RESULTS_MAX);
  }

  /** Marks results that were sent shortly before the end of the session as unsent, and drops the older ones. */
  sessionEnded(now: Millis): void {
    this.#results = this.#results
      .filter((result) => mayBeLost(result, now))
      .map(({ message }) => ({ message, sentAt: null }));
  }

  /** Calls `send` for each unsent result; `send` returns whether the message was sent. */
  resend(now: Millis, send: (message: ResultMessage) => boolean): void {
    this.#results = this.#results.map((result) =>
      result.sentAt === null && send(result.message) ? { ...result, sentAt: now } : result,
    );
  }

  /** The attempts whose results are unsent. */
  unsentTasks(): readonly HeldTask[] {
    return this.#results
      .filter(({ sentAt }) => sentAt === null)
      .map(({ message: { task_id, fence } }) => ({ task_id, fence }));
  }

  clear(): void {
    this.#results = [];
  }
}

const mayBeLost = ({ sentAt }: UnconfirmedResult, now: Millis): boolean =>
  sentAt === null || now - sentAt < RESULT_RESEND_WINDOW;
