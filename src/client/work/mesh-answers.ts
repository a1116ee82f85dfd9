import { backoffPause, equalJitter } from "../../base/backoff.ts";
import { SECOND, type Millis, type Random } from "../../base/clock.ts";
import type { HeldTask, PayloadInput, PayloadOf } from "../../protocol/messages.ts";
import type { Connection } from "../connection/connection.ts";
import { ANSWER_RETRY_BASE, ANSWER_RETRY_CAP } from "../timings.ts";
import { firstAccept, RecentAccepts, type AcceptMessage, type SentAccept } from "./accepts.ts";
import { UnconfirmedResults, type ResultMessage, type SendResult } from "./unconfirmed-results.ts";

export interface MeshAnswersOptions {
  readonly now: () => Millis;
  readonly random: Random;
}

/**
 * Sends what a worker answers to the mesh's offers. Keeps the results that may be lost and sends them again in the next
 * session. An accept or a result that the mesh could not process for now is sent again while the session lasts.
 */
export class MeshAnswers {
  readonly #options: MeshAnswersOptions;
  readonly #accepts = new RecentAccepts();
  readonly #results: UnconfirmedResults;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #connection: Connection | null = null;

  constructor(options: MeshAnswersOptions) {
    this.#options = options;
    this.#results = new UnconfirmedResults(options.now);
  }

  get attached(): boolean {
    return this.#connection !== null;
  }

  /** A session became active: sends the unsent results. */
  attach(connection: Connection): void {
    this.#connection = connection;
    this.#results.resend(this.#sendResult);
  }

  /** The session ended. What it had not sent stays unsent. */
  detach(): void {
    this.#connection = null;
    this.#stopRetries();
    this.#results.sessionEnded();
  }

  /** The peer closes: nothing is sent any more. */
  stop(): void {
    this.#connection = null;
    this.#stopRetries();
    this.#results.clear();
  }

  /** The attempts whose results are unsent. */
  unsentTasks(): readonly HeldTask[] {
    return this.#results.unsentTasks();
  }

  /** Accepts an offer; false if that can't be sent. `onSent` may be called before this method returns. */
  accept(message: AcceptMessage, onSent?: () => void): boolean {
    return this.#sendAccept(firstAccept(message, this.#options.now()), onSent);
  }

  refuse(message: PayloadInput<"task_refuse">): void {
    this.#connection?.send("task_refuse", message);
  }

  /** Gives a task up because the peer leaves: neither the peer nor the task has failed. */
  release(message: PayloadInput<"task_release">): void {
    this.#connection?.send("task_release", message);
  }

  progress(message: PayloadInput<"task_progress">): void {
    this.#connection?.send("task_progress", message);
  }

  /** Sends a result, now or in the next session. At most `max` results are kept. */
  result(message: ResultMessage, max: number): void {
    this.#results.send(message, this.#sendResult, max);
  }

  /** The mesh answered a message with an error. True if the message was an answer that will be sent again. */
  errorReceived(
    { details, retry_after: retryAfter = 0 }: PayloadOf<"error">,
    replyTo: string | undefined,
  ): boolean {
    if (details !== "unavailable" || replyTo === undefined) return false;
    const result = this.#results.unavailable(replyTo);
    if (result !== null) {
      this.#after(this.#delay(retryAfter, result.retries), () => result.resend(this.#sendResult));
      return true;
    }
    const delay = this.#delay(retryAfter, 1);
    const accept = this.#accepts.takeForRetry(replyTo, delay, this.#options.now());
    if (accept !== null) this.#after(delay, () => void this.#sendAccept(accept));
    return accept !== null;
  }

  readonly #sendResult: SendResult = (message, onSent) =>
    this.#connection?.send("task_result", message, undefined, onSent) ?? null;

  #sendAccept(accept: SentAccept, onSent?: () => void): boolean {
    const id = this.#connection?.send("task_accept", accept.message, undefined, onSent) ?? null;
    if (id !== null) this.#accepts.add(id, accept, this.#options.now());
    return id !== null;
  }

  /** The mesh's own time to retry, and a random share of a growing pause, so that the answers do not return together. */
  #delay(retryAfter: number, retries: number): Millis {
    const pause = backoffPause({ initial: ANSWER_RETRY_BASE, max: ANSWER_RETRY_CAP }, retries);
    return retryAfter * SECOND + equalJitter(pause, this.#options.random());
  }

  #after(delay: Millis, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delay);
    this.#timers.add(timer);
  }

  #stopRetries(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#accepts.clear();
  }
}
