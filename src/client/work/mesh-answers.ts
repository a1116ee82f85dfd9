import { backoffPause, equalJitter } from "../../base/backoff.ts";
import { SECOND, type Millis, type Random } from "../../base/clock.ts";
import type { HeldTask, PayloadInput, PayloadOf } from "../../protocol/messages.ts";
import type { Connection } from "../connection/connection.ts";
import { ANSWER_RETRY_AFTER_MAX, ANSWER_RETRY_BASE, ANSWER_RETRY_CAP } from "../timings.ts";
import { firstAccept, RecentAccepts, type AcceptMessage, type SentAccept } from "./accepts.ts";
import { ResultConfirmation } from "./result-confirmation.ts";
import { UnconfirmedResults, type Report, type SendResult } from "./unconfirmed-results.ts";

export interface MeshAnswersOptions {
  readonly now: () => Millis;
  readonly random: Random;
  /** The mesh has committed a result, or not: `refusal` says why. Called once for each result. */
  readonly resultEnded: (report: Report, refusal: Refusal | null) => void;
}

/** Why a result was not committed. */
export interface Refusal {
  /** The mesh's error code; null when the mesh has not answered. */
  readonly code: string | null;
  readonly reason: string;
}

/**
 * Sends what a worker answers to the mesh's offers. Keeps each result until the mesh has confirmed it, and sends it again in
 * the next session. An accept or a result that the mesh could not process for now is sent again while the session lasts.
 */
export class MeshAnswers {
  readonly #options: MeshAnswersOptions;
  readonly #accepts = new RecentAccepts();
  readonly #results = new UnconfirmedResults();
  readonly #confirmation: ResultConfirmation;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #connection: Connection | null = null;

  constructor(options: MeshAnswersOptions) {
    this.#options = options;
    this.#confirmation = new ResultConfirmation(this.#results, {
      ask: () => this.#connection?.send("ping", { sentAt: options.now(), confirm: true }) ?? null,
      confirmed: (report) => options.resultEnded(report, null),
    });
  }

  get attached(): boolean {
    return this.#connection !== null;
  }

  /** Whether the mesh has confirmed or refused every result. */
  get isConfirmed(): boolean {
    return this.#results.isEmpty;
  }

  /** A session became active: sends the unsent results. */
  attach(connection: Connection): void {
    this.#connection = connection;
    this.#results.resend(this.#sendResult);
  }

  /** The session ended. What it had not sent stays unsent. */
  detach(): void {
    this.#connection = null;
    this.#stopTimers();
    this.#results.sessionEnded();
  }

  /** The peer closes: nothing is sent any more. */
  stop(): void {
    this.#connection = null;
    this.#stopTimers();
    this.#drop(this.#results.clear());
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
  result(report: Report, max: number): void {
    this.#drop(this.#results.send(report, this.#sendResult, max));
  }

  /** The mesh answered a ping. False if it was not sent here. */
  pongReceived(pingId: string | undefined): boolean {
    return this.#confirmation.pongReceived(pingId);
  }

  /** The mesh answered a message with an error. True if the message was an answer that will be sent again. */
  errorReceived(
    { details, message, retry_after: retryAfter = 0 }: PayloadOf<"error">,
    replyTo: string | undefined,
  ): boolean {
    if (replyTo === undefined) return false;
    if (!isTemporary(details)) {
      const refused = this.#results.refused(replyTo);
      if (refused !== null)
        this.#options.resultEnded(refused, {
          code: details ?? "refused",
          reason: `the mesh refused the result: ${message}`,
        });
      return false;
    }
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
    this.#connection?.send("task_result", message, undefined, () => {
      onSent();
      this.#confirmation.resultSent();
    }) ?? null;

  #drop(reports: readonly Report[]): void {
    for (const report of reports)
      this.#options.resultEnded(report, {
        code: null,
        reason: "the mesh has not confirmed the result",
      });
  }

  #sendAccept(accept: SentAccept, onSent?: () => void): boolean {
    const id = this.#connection?.send("task_accept", accept.message, undefined, onSent) ?? null;
    if (id !== null) this.#accepts.add(id, accept, this.#options.now());
    return id !== null;
  }

  /** The mesh's own time to retry, and a random share of a growing pause, so that the answers do not return together. */
  #delay(retryAfter: number, retries: number): Millis {
    const pause = backoffPause({ initial: ANSWER_RETRY_BASE, max: ANSWER_RETRY_CAP }, retries);
    const asked = Math.min(retryAfter * SECOND, ANSWER_RETRY_AFTER_MAX);
    return asked + equalJitter(pause, this.#options.random());
  }

  #after(delay: Millis, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delay);
    this.#timers.add(timer);
  }

  #stopTimers(): void {
    this.#confirmation.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#accepts.clear();
  }
}

/** Whether the mesh may take the same message later: it does not answer for now, or its disk is full. */
const isTemporary = (code: string | undefined): boolean =>
  code === "unavailable" || code === "storage_full";
