import type { Json } from "../../base/json.ts";
import { platformRandom } from "../../crypto/primitives.ts";
import { isErrorCode, statusOf } from "../../protocol/errors.ts";
import { newUuid } from "../../protocol/ids.ts";
import type { PayloadInput, PayloadOf } from "../../protocol/messages.ts";
import type { Fetch } from "../http/api.ts";
import type { WaitOptions } from "../clients/options.ts";
import { MusterApiError, type PeerError, WaitTimeout } from "../errors.ts";
import type { PrivateKey } from "../keys.ts";
import type { Link } from "../connection/connection.ts";
import { fetchResult } from "../tasks/read-result.ts";
import { withRetries } from "../http/request-retry.ts";
import { runTask, type RunOptions } from "../tasks/run-task.ts";
import { submission, type SubmitOptions } from "../tasks/submission.ts";
import { hasEnded, type Task } from "../tasks/task.ts";
import { REQUEST_TIMEOUT, TASK_WAIT_ROUND } from "../timings.ts";

/**
 * Gives tasks over the peer's own session, by muster.2: for peers whose allowlist entry grants `controller` or `dual`. The
 * tasks are seen by this peer, and by who administers the mesh. Every method throws `MusterApiError` when the mesh says no
 * (`forbidden` without that role), or can't be reached in time.
 */
export interface PeerTasks {
  /** Gives the mesh a task; returns once it is safely kept. Each call makes one task, whatever breaks meanwhile. */
  submit(kind: string, payload?: unknown, options?: SubmitOptions): Promise<Task>;
  /** The task once it has ended, however it did; throws `WaitTimeout` if that takes longer than `timeoutMs`. */
  wait(id: string, options?: WaitOptions): Promise<Task>;
  /** Assigns and waits: the task's result, as `Controller.run` does. */
  run(kind: string, payload?: unknown, options?: RunOptions): Promise<Json>;
  /** The result of a task that succeeded, however large, opened with `privateKey` if it is sealed. */
  result(id: string, privateKey?: PrivateKey): Promise<Json>;
  get(id: string): Promise<Task>;
  /** Cancels a task that has not ended. */
  cancel(id: string): Promise<Task>;
}

type Question = "task_assign" | "task_query" | "task_recall";
type Shown = PayloadOf<"task_shown">;

/** Something asked of the mesh; asked again in the next session if this one ends before the answer. */
interface Asked {
  ask(link: Link): void;
  /** Of the newest message that asked. */
  messageId: string | null;
  readonly answer: PromiseWithResolvers<Shown>;
}

export class SessionTasks implements PeerTasks {
  readonly #url: string;
  readonly #fetch: Fetch;
  #link: Link | null = null;
  #stopped: PeerError | null = null;
  readonly #open = new Set<Asked>();
  /** Who waits for an end: told of it, or to ask again (null). */
  readonly #waiting = new Map<string, Set<(ended: Task | null) => void>>();

  constructor(url: string, fetch: Fetch) {
    this.#url = url;
    this.#fetch = fetch;
  }

  async submit(kind: string, payload: unknown = null, options: SubmitOptions = {}): Promise<Task> {
    const task = submission(kind, payload, options);
    const idempotency_key = options.idempotencyKey ?? newUuid(platformRandom);
    const shown = await this.#ask("task_assign", { task, idempotency_key }, options.signal);
    return shown.task;
  }

  async wait(id: string, { timeoutMs, signal }: WaitOptions = {}): Promise<Task> {
    const until = Date.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    for (;;) {
      // Listening begins before asking, or an end between the two would be missed.
      const news = this.#newsOf(id);
      try {
        const { task } = await this.#ask("task_query", { task_id: id }, signal);
        if (hasEnded(task)) return task;
        if (Date.now() >= until) throw new WaitTimeout(task);
        const ended = await news.within(Math.min(TASK_WAIT_ROUND, until - Date.now()), signal);
        if (ended !== null) return ended;
      } finally {
        news.stop();
      }
    }
  }

  run(kind: string, payload: unknown = null, options: RunOptions = {}): Promise<Json> {
    return runTask(this, kind, payload, options);
  }

  async result(id: string, privateKey?: PrivateKey): Promise<Json> {
    const { task, ticket } = await this.#ask("task_query", { task_id: id });
    return fetchResult({ url: this.#url, fetch: this.#fetch, task, ticket, privateKey });
  }

  async get(id: string): Promise<Task> {
    return (await this.#ask("task_query", { task_id: id })).task;
  }

  async cancel(id: string): Promise<Task> {
    return (await this.#ask("task_recall", { task_id: id })).task;
  }

  /** A session has begun: what was asked in the last one is asked again, and who waits looks again. */
  attach(link: Link): void {
    this.#link = link;
    for (const asked of this.#open) asked.ask(link);
    for (const tell of [...this.#waiting.values()].flatMap((each) => [...each])) tell(null);
  }

  detach(): void {
    this.#link = null;
  }

  /** The peer is closed: nothing is answered any more. */
  stop(error: PeerError): void {
    this.#link = null;
    this.#stopped = error;
    for (const { answer } of this.#open) answer.reject(error);
    for (const tell of [...this.#waiting.values()].flatMap((each) => [...each])) tell(null);
  }

  /** The mesh shows a task: in answer to a question, or because it has ended. */
  shown(shown: Shown, replyTo: string | undefined): void {
    this.#asked(replyTo)?.answer.resolve(shown);
    const { task } = shown;
    if (hasEnded(task)) for (const tell of this.#waiting.get(task.id) ?? []) tell(task);
  }

  /** The mesh refuses what a message asked; false when that was none of these. */
  refused(
    { message, details = "", retry_after: retryAfter }: PayloadOf<"error">,
    replyTo: string | undefined,
  ): boolean {
    const asked = this.#asked(replyTo);
    if (asked === undefined) return false;
    const [code, status] = isErrorCode(details) ? [details, statusOf(details)] : ["refused", 500];
    asked.answer.reject(new MusterApiError(code, status, message, { retryAfter }));
    return true;
  }

  #asked(replyTo: string | undefined): Asked | undefined {
    return [...this.#open].find(({ messageId }) => messageId !== null && messageId === replyTo);
  }

  #ask<T extends Question>(
    type: T,
    payload: PayloadInput<T>,
    signal?: AbortSignal,
  ): Promise<Shown> {
    return withRetries(() => this.#once(type, payload, signal), Math.random, signal);
  }

  async #once<T extends Question>(
    type: T,
    payload: PayloadInput<T>,
    signal: AbortSignal | undefined,
  ): Promise<Shown> {
    if (this.#stopped !== null) throw this.#stopped;
    signal?.throwIfAborted();
    const asked: Asked = {
      ask: (link) => void (asked.messageId = link.send(type, payload)),
      messageId: null,
      answer: Promise.withResolvers(),
    };
    const late = setTimeout(() => {
      asked.answer.reject(new MusterApiError("unreachable", 0, "the mesh does not answer"));
    }, REQUEST_TIMEOUT);
    const abort = (): void => asked.answer.reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    this.#open.add(asked);
    if (this.#link !== null) asked.ask(this.#link);
    try {
      return await asked.answer.promise;
    } finally {
      this.#open.delete(asked);
      clearTimeout(late);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Hears of a task's end from now on. */
  #newsOf(id: string) {
    const news = Promise.withResolvers<Task | null>();
    const tellers = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, tellers.add(news.resolve));
    return {
      /** The task when its end is told; null when it is time to ask. */
      within: async (ms: number, signal: AbortSignal | undefined): Promise<Task | null> => {
        const abort = (): void => news.reject(signal?.reason);
        signal?.addEventListener("abort", abort);
        const timer = setTimeout(() => news.resolve(null), ms);
        try {
          signal?.throwIfAborted();
          return await news.promise;
        } finally {
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
        }
      },
      stop: (): void => {
        tellers.delete(news.resolve);
        if (tellers.size === 0) this.#waiting.delete(id);
      },
    };
  }
}
