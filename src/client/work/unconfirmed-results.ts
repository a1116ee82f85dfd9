import type { Millis } from "../../base/clock.ts";
import type { HeldTask, PayloadInput } from "../../protocol/messages.ts";
import { RESULT_RESEND_WINDOW, RESULT_RETRIES_MAX } from "../timings.ts";

export type ResultMessage = PayloadInput<"task_result">;

/** Sends a result and returns the message's ID; null if it can't be sent. Calls `onSent` when the socket has it. */
export type SendResult = (message: ResultMessage, onSent: () => void) => string | null;

interface UnconfirmedResult {
  readonly message: ResultMessage;
  /** ID of the message that carried it last; null if there was none in this session. */
  messageId: string | null;
  /** Null until it was given to the socket. */
  sentAt: Millis | null;
  /** How often it was sent again in this session. */
  retries: number;
}

/**
 * Results that the mesh may not have received: those that could not be sent or still wait, and those sent less than
 * `RESULT_RESEND_WINDOW` before the socket closed. A duplicate is harmless: the mesh refuses it by its fence.
 */
export class UnconfirmedResults {
  readonly #now: () => Millis;
  #results: readonly UnconfirmedResult[] = [];

  constructor(now: () => Millis) {
    this.#now = now;
  }

  /** Sends a result and keeps it. Above `max` the oldest are dropped, first of those that were sent. */
  send(message: ResultMessage, send: SendResult, max: number): void {
    const result = { message, messageId: null, sentAt: null, retries: 0 };
    this.#results = newest([...this.#results.filter((each) => this.#mayBeLost(each)), result], max);
    this.#sendOne(result, send);
  }

  /**
   * The mesh could not process the message for now. Returns the number of retries so far and a function that sends the
   * result again; null if the message carried none of these results or was sent often enough. The result counts as unsent
   * until then.
   */
  unavailable(messageId: string): { retries: number; resend: (send: SendResult) => void } | null {
    const result = this.#results.find((each) => each.messageId === messageId);
    if (result === undefined) return null;
    result.sentAt = null;
    result.messageId = null;
    if (result.retries >= RESULT_RETRIES_MAX) return null;
    const resend = (send: SendResult): void => {
      if (this.#results.includes(result)) this.#sendOne(result, send);
    };
    return { retries: ++result.retries, resend };
  }

  /** Marks results that were sent shortly before the end of the session as unsent, and drops the older ones. */
  sessionEnded(): void {
    this.#results = this.#results
      .filter((result) => this.#mayBeLost(result))
      .map(({ message }) => ({ message, messageId: null, sentAt: null, retries: 0 }));
  }

  /** Sends each unsent result. */
  resend(send: SendResult): void {
    for (const result of this.#results) if (result.sentAt === null) this.#sendOne(result, send);
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

  #sendOne(result: UnconfirmedResult, send: SendResult): void {
    result.messageId = send(result.message, () => {
      result.sentAt = this.#now();
    });
  }

  #mayBeLost({ sentAt }: UnconfirmedResult): boolean {
    return sentAt === null || this.#now() - sentAt < RESULT_RESEND_WINDOW;
  }
}

/** At most `max` of the results, in their order, without the oldest: sent ones are left out before unsent ones. */
function newest(results: readonly UnconfirmedResult[], max: number): readonly UnconfirmedResult[] {
  const excess = results.length - max;
  if (excess <= 0) return results;
  const oldestSent = results.filter(({ sentAt }) => sentAt !== null).slice(0, excess);
  const dropped = new Set(oldestSent);
  return results.filter((result) => !dropped.has(result)).slice(-max);
}
