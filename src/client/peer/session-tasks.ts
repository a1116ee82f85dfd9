import type { Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { isErrorCode, statusOf } from "../../protocol/error-statuses.ts";
import type { PayloadInput, PayloadOf } from "../../protocol/messages.ts";
import { outageOf, WAIT_OPTIONS, type WaitOptions } from "../clients/options.ts";
import type { Connection } from "../connection/connection.ts";
import { frameBytesOf } from "../connection/frame-bytes.ts";
import { aboutTask, errorAbout, MusterApiError, WaitTimeout, type PeerError } from "../errors.ts";
import type { Fetch } from "../http/api.ts";
import { isOutage, withRetries, type Attempt, type RetryPolicy } from "../http/request-retry.ts";
import type { PrivateKey } from "../own-keys.ts";
import { RETRY_OPTIONS, retryBody, type RetryOptions } from "../tasks/retry-options.ts";
import { runTask, type FetchOptions, type RunOptions } from "../tasks/run-task.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import {
  idempotencyKeyOf,
  submission,
  SUBMIT_OPTIONS,
  type SubmitOptions,
} from "../tasks/submission.ts";
import { sentTrace } from "../tasks/sent-trace.ts";
import { hasEnded, taskOf, type Task } from "../tasks/task.ts";
import { OUTAGE_LAST_TRY, REQUEST_TIMEOUT, TASK_WAIT_ROUND } from "../timings.ts";
import type { PeerTasks } from "./peer-tasks.ts";

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

export interface SessionTasksOptions {
  readonly url: string;
  readonly fetch: Fetch;
  /** How long calls that wait go on without an answer, unless they say otherwise. */
  readonly outageMs: Millis;
  /** The largest frame that the peer sends. */
  readonly maxFrame: number;
}

export class SessionTasks implements PeerTasks {
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #outageMs: Millis;
  readonly #maxFrame: number;
  #connection: Connection | null = null;
  #stopped: PeerError | null = null;
  readonly #pending = new Set<PendingRequest>();
  readonly #waiters = new Map<string, Set<Waiter>>();

  constructor({ url, fetch, outageMs, maxFrame }: SessionTasksOptions) {
    this.#url = url;
    this.#fetch = fetch;
    this.#outageMs = outageMs;
    this.#maxFrame = maxFrame;
  }

  async submit<Result = Json>(
    kind: string,
    payload: unknown = null,
    options: SubmitOptions = {},
  ): Promise<Task<Result>> {
    refuseUnknownOptions("peer.tasks.submit", options, SUBMIT_OPTIONS);
    return (await this.#submit(kind, payload, options, 0)) as Task<Result>;
  }

  async #submit(kind: string, payload: unknown, options: SubmitOptions, outageMs: Millis) {
    const task = submission(kind, payload, options);
    const idempotencyKey = idempotencyKeyOf(options.idempotencyKey);
    const assign = { task, idempotency_key: idempotencyKey, ...sentTrace(options) };
    this.#refuseTooLarge(assign);
    const { signal } = options;
    try {
      return (await this.#request("task_assign", assign, { signal, outageMs })).task;
    } catch (error) {
      throw isOutage(error) ? errorAbout(error, { idempotencyKey }) : error;
    }
  }

  /** A frame that the peer may not send would never be answered. */
  #refuseTooLarge(assign: object): void {
    const bytes = frameBytesOf(assign);
    if (bytes <= this.#maxFrame) return;
    const detail = `the task needs a frame of ${bytes} bytes, and this peer sends at most ${this.#maxFrame} (maxFrame): submit it over HTTP, with controller()`;
    throw new MusterApiError("payload_too_large", statusOf("payload_too_large"), detail);
  }

  async wait<Result = Json>(id: string, options: WaitOptions = {}): Promise<Task<Result>> {
    refuseUnknownOptions("peer.tasks.wait", options, WAIT_OPTIONS);
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    const outage = outageOf(options.outageMs, this.#outageMs);
    const until = Date.now() + timeoutMs;
    for (;;) {
      // Registered before the query, so that an end between the two is not missed.
      const end = this.#awaitEnd(id);
      try {
        const outageMs = Math.min(outage, Math.max(0, until - Date.now()));
        const { task } = await this.#query(id, { signal, outageMs });
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
      const { timeoutMs, signal } = given;
      const outageMs = outageOf(given.outageMs, this.#outageMs);
      const { id } = await this.#submit(of, data, given, outageMs);
      return this.wait(id, { timeoutMs, outageMs, signal });
    };
    const result = async (
      id: string,
      privateKey: PrivateKey | undefined,
      { signal, outageMs }: FetchOptions,
    ) => {
      const fetched = { signal, outageMs: outageOf(outageMs, this.#outageMs) };
      return JSON.parse(await this.#resultText(id, privateKey, fetched)) as Json;
    };
    // The session has authenticated the task with its result.
    return runTask<Result>({ submitAndWait, result }, kind, payload, options);
  }

  async result<Result = Json>(id: string, privateKey?: PrivateKey): Promise<Result> {
    return JSON.parse(await this.resultText(id, privateKey)) as Result;
  }

  resultText(id: string, privateKey?: PrivateKey): Promise<string> {
    return this.#resultText(id, privateKey, {});
  }

  async #resultText(id: string, privateKey: PrivateKey | undefined, fetched: FetchOptions) {
    const { task, ticket: secret } = await this.#query(id, fetched);
    const shown = { url: this.#url, fetch: this.#fetch, task, secret, privateKey, fetched };
    return aboutTask(id, async () => (await import("../tasks/read-result.ts")).fetchResult(shown));
  }

  async get<Result = Json>(id: string): Promise<Task<Result>> {
    return (await this.#query(id)).task as Task<Result>;
  }

  #query(id: string, policy: FetchOptions = {}): Promise<TaskShown> {
    return aboutTask(id, () => this.#request("task_query", { task_id: id }, policy));
  }

  async cancel(id: string): Promise<Task> {
    return (await aboutTask(id, () => this.#request("task_recall", { task_id: id }))).task;
  }

  async retry<Result = Json>(id: string, options: RetryOptions = {}): Promise<Task<Result>> {
    refuseUnknownOptions("peer.tasks.retry", options, RETRY_OPTIONS);
    const request = { task_id: id, ...retryBody(options) };
    const shown = await aboutTask(id, () => this.#request("task_retry", request));
    return shown.task as Task<Result>;
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
    const { omitted } = shown;
    const task = { ...taskOf(shown.task), ...(omitted !== undefined && { omitted }) };
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
    policy: Pick<RetryPolicy, "signal" | "outageMs"> = {},
  ): Promise<TaskShown> {
    const once = (attempt: Attempt) => this.#requestOnce(type, payload, policy.signal, attempt);
    return withRetries(once, { ...policy, random: Math.random });
  }

  async #requestOnce<T extends RequestType>(
    type: T,
    payload: PayloadInput<T>,
    signal: AbortSignal | undefined,
    { outageLeft }: Attempt,
  ): Promise<TaskShown> {
    if (this.#stopped !== null) throw this.#stopped;
    signal?.throwIfAborted();
    const request: PendingRequest = {
      send: (connection) => void (request.messageId = connection.send(type, payload)),
      messageId: null,
      reply: Promise.withResolvers(),
    };
    const left = outageLeft === null ? REQUEST_TIMEOUT : Math.max(outageLeft, OUTAGE_LAST_TRY);
    const timeout = setTimeout(
      () => {
        const error = new MusterApiError("unreachable", 0, "the mesh did not reply in time");
        request.reply.reject(error);
      },
      Math.min(REQUEST_TIMEOUT, left),
    );
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
