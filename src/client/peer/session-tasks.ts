import type { Json } from "../../base/json.ts";
import { isErrorCode, statusOf } from "../../protocol/errors.ts";
import type { PayloadInput, PayloadOf } from "../../protocol/messages.ts";
import { WAIT_OPTIONS, type WaitOptions } from "../clients/options.ts";
import type { Connection } from "../connection/connection.ts";
import { MusterApiError, WaitTimeout, type PeerError } from "../errors.ts";
import type { Fetch } from "../http/api.ts";
import { withRetries } from "../http/request-retry.ts";
import type { PrivateKey } from "../keys.ts";
import { fetchResult } from "../tasks/read-result.ts";
import { RETRY_OPTIONS, retryBody, type RetryOptions } from "../tasks/retry-options.ts";
import { runTask, type RunOptions } from "../tasks/run-task.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import {
  idempotencyKeyOf,
  submission,
  SUBMIT_OPTIONS,
  type SubmitOptions,
} from "../tasks/submission.ts";
import { hasEnded, taskOf, type Task } from "../tasks/task.ts";
import { REQUEST_TIMEOUT, TASK_WAIT_ROUND } from "../timings.ts";

/**
 * Submits tasks over the peer's own muster.2 session. The peer's allowlist entry must grant `controller` or `dual`. A peer
 * sees only its own tasks. Every method throws `MusterApiError` when the mesh refuses (`forbidden` without that role) or
 * does not answer in time. A `Result` type is the caller's claim: results are not validated.
 */
export interface PeerTasks {
  /** Submits one task and returns it once the mesh has committed it. One call makes one task, also across reconnects. */
  submit<Result = Json>(
    kind: string,
    payload?: unknown,
    options?: SubmitOptions,
  ): Promise<Task<Result>>;
  /** Waits until the task has ended, in whichever state; throws `WaitTimeout` after `timeoutMs`. */
  wait<Result = Json>(id: string, options?: WaitOptions): Promise<Task<Result>>;
  /** Submits a task, waits for its end and returns its result; throws `TaskFailed` if it did not succeed. */
  run<Result = Json>(kind: string, payload?: unknown, options?: RunOptions): Promise<Result>;
  /** The result of a task that succeeded, of any size; opened with `privateKey` if it is sealed. */
  result<Result = Json>(id: string, privateKey?: PrivateKey): Promise<Result>;
  /** The same result as JSON, exactly as the peer wrote it: parsing rounds long numbers. */
  resultText(id: string, privateKey?: PrivateKey): Promise<string>;
  /** One task by its ID. */
  get<Result = Json>(id: string): Promise<Task<Result>>;
  /** Cancels a task that has not ended, and returns it. */
  cancel(id: string): Promise<Task>;
  /** Puts a task that ended without success back into the queue. One that has not ended is left as it is. */
  retry<Result = Json>(id: string, options?: RetryOptions): Promise<Task<Result>>;
}

type RequestType = "task_assign" | "task_query" | "task_recall" | "task_retry";
/** A task that the mesh sent, with the secret that fetches its large result. */
interface TaskShown {
  readonly task: Task;
  readonly ticket?: string | undefined;
}

/** A request that awaits its reply. It is sent again in the next session if this one ends before the reply. */
interface PendingRequest {
  send(connection: Connection): void;
  /** ID of the message that was sent last. */
  messageId: string | null;
  readonly reply: PromiseWithResolvers<TaskShown>;
}

/** Called with the task when it has ended, or with null when the waiter should query the task again. */
type Waiter = (ended: Task | null) => void;

export class SessionTasks implements PeerTasks {
  readonly #url: string;
  readonly #fetch: Fetch;
  #connection: Connection | null = null;
  #stopped: PeerError | null = null;
  readonly #pending = new Set<PendingRequest>();
  readonly #waiters = new Map<string, Set<Waiter>>();

  constructor(url: string, fetch: Fetch) {
    this.#url = url;
    this.#fetch = fetch;
  }

  async submit<Result = Json>(
    kind: string,
    payload: unknown = null,
    options: SubmitOptions = {},
  ): Promise<Task<Result>> {
    refuseUnknownOptions("peer.tasks.submit", options, SUBMIT_OPTIONS);
    const task = submission(kind, payload, options);
    const idempotency_key = idempotencyKeyOf(options.idempotencyKey);
    const shown = await this.#request("task_assign", { task, idempotency_key }, options.signal);
    return shown.task as Task<Result>;
  }

  async wait<Result = Json>(id: string, options: WaitOptions = {}): Promise<Task<Result>> {
    refuseUnknownOptions("peer.tasks.wait", options, WAIT_OPTIONS);
    const { timeoutMs, signal } = options;
    const until = Date.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    for (;;) {
      // Registered before the query, so that an end between the two is not missed.
      const end = this.#awaitEnd(id);
      try {
        const { task } = await this.#request("task_query", { task_id: id }, signal);
        if (hasEnded(task)) return task as Task<Result>;
        if (Date.now() >= until) throw new WaitTimeout(task);
        const ended = await end.within(Math.min(TASK_WAIT_ROUND, until - Date.now()), signal);
        if (ended !== null) return ended as Task<Result>;
      } finally {
        end.stop();
      }
    }
  }

  run<Result = Json>(
    kind: string,
    payload: unknown = null,
    options: RunOptions = {},
  ): Promise<Result> {
    const submitAndWait = async (...[of, data, given]: [string, unknown, RunOptions]) => {
      const { timeoutMs, privateKey: _, ...submitted } = given;
      const { id } = await this.submit(of, data, submitted);
      return this.wait(id, { timeoutMs, signal: given.signal });
    };
    const result = (id: string, privateKey?: PrivateKey) => this.result(id, privateKey);
    // The session has authenticated the task with its result.
    return runTask<Result>({ submitAndWait, result }, kind, payload, options);
  }

  async result<Result = Json>(id: string, privateKey?: PrivateKey): Promise<Result> {
    return JSON.parse(await this.resultText(id, privateKey)) as Result;
  }

  async resultText(id: string, privateKey?: PrivateKey): Promise<string> {
    const { task, ticket: secret } = await this.#request("task_query", { task_id: id });
    return fetchResult({ url: this.#url, fetch: this.#fetch, task, secret, privateKey });
  }

  async get<Result = Json>(id: string): Promise<Task<Result>> {
    return (await this.#request("task_query", { task_id: id })).task as Task<Result>;
  }

  async cancel(id: string): Promise<Task> {
    return (await this.#request("task_recall", { task_id: id })).task;
  }

  async retry<Result = Json>(id: string, options: RetryOptions = {}): Promise<Task<Result>> {
    refuseUnknownOptions("peer.tasks.retry", options, RETRY_OPTIONS);
    const request = { task_id: id, ...retryBody(options) };
    return (await this.#request("task_retry", request)).task as Task<Result>;
  }

  /** A session became active: pending requests are sent again, and waiting calls query their tasks again. */
  attach(connection: Connection): void {
    this.#connection = connection;
    for (const request of this.#pending) request.send(connection);
    this.#wakeAllWaiters();
  }

  detach(): void {
    this.#connection = null;
  }

  /** The peer is closed: pending and future requests reject with `error`. */
  stop(error: PeerError): void {
    this.#connection = null;
    this.#stopped = error;
    for (const { reply } of this.#pending) reply.reject(error);
    this.#wakeAllWaiters();
  }

  /** The mesh sent a task: as the reply to a request, or because the task has ended. */
  taskShown(shown: PayloadOf<"task_shown">, replyTo: string | undefined): void {
    const task = taskOf(shown.task);
    this.#pendingRequest(replyTo)?.reply.resolve({ task, ticket: shown.ticket });
    if (hasEnded(task)) for (const notify of this.#waiters.get(task.id) ?? []) notify(task);
  }

  /** The mesh sent an error. False if it is not the reply to one of these requests. */
  errorReceived(
    { message, details = "", retry_after: retryAfter }: PayloadOf<"error">,
    replyTo: string | undefined,
  ): boolean {
    const request = this.#pendingRequest(replyTo);
    if (request === undefined) return false;
    const [code, status] = isErrorCode(details) ? [details, statusOf(details)] : ["refused", 500];
    request.reply.reject(new MusterApiError(code, status, message, { retryAfter }));
    return true;
  }

  #pendingRequest(replyTo: string | undefined): PendingRequest | undefined {
    return [...this.#pending].find(({ messageId }) => messageId !== null && messageId === replyTo);
  }

  #wakeAllWaiters(): void {
    for (const notify of [...this.#waiters.values()].flatMap((each) => [...each])) notify(null);
  }

  #request<T extends RequestType>(
    type: T,
    payload: PayloadInput<T>,
    signal?: AbortSignal,
  ): Promise<TaskShown> {
    return withRetries(() => this.#requestOnce(type, payload, signal), Math.random, signal);
  }

  async #requestOnce<T extends RequestType>(
    type: T,
    payload: PayloadInput<T>,
    signal: AbortSignal | undefined,
  ): Promise<TaskShown> {
    if (this.#stopped !== null) throw this.#stopped;
    signal?.throwIfAborted();
    const request: PendingRequest = {
      send: (connection) => void (request.messageId = connection.send(type, payload)),
      messageId: null,
      reply: Promise.withResolvers(),
    };
    const timeout = setTimeout(() => {
      request.reply.reject(new MusterApiError("unreachable", 0, "the mesh did not reply in time"));
    }, REQUEST_TIMEOUT);
    const abort = (): void => request.reply.reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    this.#pending.add(request);
    if (this.#connection !== null) request.send(this.#connection);
    try {
      return await request.reply.promise;
    } finally {
      this.#pending.delete(request);
      clearTimeout(timeout);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Registers a waiter for the end of a task. */
  #awaitEnd(id: string) {
    const end = Promise.withResolvers<Task | null>();
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters.add(end.resolve));
    return {
      /** The task once the mesh reports its end; null after `ms`, or when the task should be queried again. */
      within: async (ms: number, signal: AbortSignal | undefined): Promise<Task | null> => {
        const abort = (): void => end.reject(signal?.reason);
        signal?.addEventListener("abort", abort);
        const timer = setTimeout(() => end.resolve(null), ms);
        try {
          signal?.throwIfAborted();
          return await end.promise;
        } finally {
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
        }
      },
      stop: (): void => {
        waiters.delete(end.resolve);
        if (waiters.size === 0) this.#waiters.delete(id);
      },
    };
  }
}
