import type { Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type {
  BatchView,
  FailuresView,
  TaskStats,
  WhyView,
  TaskSummary,
  TaskTraceView,
} from "../../protocol/http.ts";
import { aboutTask, WaitTimeout } from "../errors.ts";
import { followTask, loadTaskChanges } from "../events/follow-task.ts";
import type { TaskChanges } from "../events/task-changes.ts";
import type { Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import type { PrivateKey } from "../own-keys.ts";
import {
  cancelMany,
  failuresQuery,
  retryMany,
  type BulkOptions,
  type BulkOutcome,
  type BulkRetryOptions,
  type CancelSelection,
  type FailuresFilter,
  type RetrySelection,
} from "../tasks/bulk.ts";
import { payloadJson } from "../tasks/exact-value.ts";
import { RETRY_OPTIONS, retryBody, type RetryOptions } from "../tasks/retry-options.ts";
import {
  isInline,
  resultOfTask,
  runTask,
  type FetchOptions,
  type RunOptions,
} from "../tasks/run-task.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import { idempotencyKeyOf } from "../tasks/submission.ts";
import { sentTrace } from "../tasks/sent-trace.ts";
import { hasEnded, type Task } from "../tasks/task.ts";
import { TASK_WAIT_ROUND } from "../timings.ts";
import { answer } from "./answers.ts";
import type { MeshPin } from "./mesh-pin.ts";
import { pathOf, TaskRequests } from "./task-requests.ts";
import { outageOf, WAIT_OPTIONS, type WaitOptions } from "./options.ts";
import {
  BATCH_OPTIONS,
  SUBMIT_AND_WAIT_OPTIONS,
  TASK_FILTER,
  type BatchOptions,
  type BatchTask,
  type SubmitAndWaitOptions,
  type TaskFilter,
} from "./task-options.ts";

/**
 * Submits tasks and follows them to their end, over HTTP. A `Result` type parameter is the caller's claim about the
 * handler's return type: the SDK does not validate results.
 */
export class TasksClient {
  readonly #api: Api;
  readonly #requests: TaskRequests;
  readonly #outageMs: Millis;
  #changes: Promise<TaskChanges> | null = null;

  /**
   * `pin`: the mesh's key, if the caller has pinned it; then results must have the mesh's signature. `outageMs`: how long calls that
   * wait go on without an answer, unless they say otherwise.
   */
  constructor(api: Api, pin: MeshPin | null, outageMs: Millis) {
    this.#api = api;
    this.#requests = new TaskRequests(api, pin);
    this.#outageMs = outageMs;
  }

  /**
   * Submits one task and returns it once the mesh has committed it, or with `waitMs` once it has ended or that time has
   * passed. One call makes one task, however often the request is retried: the SDK sends an idempotency key.
   */
  async submit<Result = Json>(
    kind: string,
    payload: unknown = null,
    options: SubmitAndWaitOptions = {},
  ): Promise<Task<Result>> {
    refuseUnknownOptions("tasks.submit", options, SUBMIT_AND_WAIT_OPTIONS);
    return this.#requests.submit<Result>(kind, payload, options, undefined);
  }

  /**
   * Submits up to 100 tasks in one request. The outcomes have the order of `tasks`; each is a task or an error. A second
   * call with the same idempotency key creates no further tasks.
   */
  async submitBatch(
    tasks: readonly BatchTask[],
    options: BatchOptions = {},
  ): Promise<BatchView["results"]> {
    refuseUnknownOptions("tasks.submitBatch", options, BATCH_OPTIONS);
    const key = idempotencyKeyOf(options.idempotencyKey);
    const { results } = await this.#api.json(answer("BatchView"), {
      method: "POST",
      path: "v1/task-batches",
      body: {
        tasks: tasks.map((task, i) => ({
          ...task,
          payload: payloadJson(task.payload, `tasks[${i}].payload`),
        })),
      },
      headers: { "idempotency-key": key, ...sentTrace(options) },
      idempotent: true,
      signal: options.signal,
    });
    return results;
  }

  /** Every task that the token may see, newest first, without payload, result and attempts. */
  list(filter: TaskFilter = {}): Listing<TaskSummary> {
    refuseUnknownOptions("tasks.list", filter, TASK_FILTER);
    const { peerId, pageSize, ...conditions } = filter;
    const query = { ...conditions, peer_id: peerId, limit: pageSize };
    return listing(
      this.#api,
      answer("TaskList"),
      { path: "v1/tasks", query },
      ({ tasks }) => tasks,
    );
  }

  /** The timeline of a task: its waits, attempts, upload and callback, as spans. */
  trace(id: string): Promise<TaskTraceView> {
    const path = `${pathOf(id)}/trace`;
    return aboutTask(id, () => this.#api.json(answer("TaskTraceView"), { path }));
  }

  /** One task by its ID. */
  get<Result = Json>(id: string): Promise<Task<Result>> {
    return this.#requests.task({ path: pathOf(id) }, id);
  }

  /** Cancels a task that has not ended, and returns it. */
  cancel(id: string): Promise<Task> {
    return this.#requests.task({ method: "DELETE", path: pathOf(id) }, id);
  }

  /**
   * Puts a task that failed, expired or was cancelled back into the queue, with all its attempts and a new deadline, and
   * returns it. A task that has not ended is left as it is.
   */
  async retry<Result = Json>(id: string, options: RetryOptions = {}): Promise<Task<Result>> {
    refuseUnknownOptions("tasks.retry", options, RETRY_OPTIONS);
    const body = retryBody(options);
    return this.#requests.task(
      { method: "POST", path: `${pathOf(id)}/retry`, body, idempotent: true },
      id,
    );
  }

  /**
   * Cancels many tasks: those with these IDs, or those that meet a filter. Several requests, if there are many; each may be
   * repeated.
   */
  cancelMany(selection: CancelSelection, options: BulkOptions = {}): Promise<BulkOutcome> {
    return cancelMany(this.#api, selection, options);
  }

  /** Retries many tasks: those with these IDs, or those that meet a filter (without `state`, failed and expired ones). */
  retryMany(selection: RetrySelection, options: BulkRetryOptions = {}): Promise<BulkOutcome> {
    return retryMany(this.#api, selection, options);
  }

  /** The newest failed and expired tasks, grouped by kind and reason. */
  async failures(filter: FailuresFilter = {}): Promise<FailuresView> {
    return this.#api.json(answer("FailuresView"), {
      path: "v1/tasks/failures",
      query: failuresQuery(filter),
    });
  }

  /** How many tasks wait and run, by kind and by owner, as far as the token may see them, and the limits that hold. */
  stats(): Promise<TaskStats> {
    return this.#api.json(answer("TaskStats"), { path: "v1/tasks/stats" });
  }

  /**
   * Waits until the task has ended, in whichever state, also across a restart of the mesh; throws `WaitTimeout` after `timeoutMs`, and
   * `MusterApiError` (`unreachable`) if the mesh gives no answer for `outageMs`.
   */
  async wait<Result = Json>(id: string, options: WaitOptions = {}): Promise<Task<Result>> {
    refuseUnknownOptions("tasks.wait", options, WAIT_OPTIONS);
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    const outage = outageOf(options.outageMs, this.#outageMs);
    const until = Date.now() + timeoutMs;
    for (;;) {
      const left = Math.max(0, until - Date.now());
      const outageMs = Math.min(outage, left);
      const task = await this.#getAfter(id, Math.min(TASK_WAIT_ROUND, left), { signal, outageMs });
      if (hasEnded(task)) return task as Task<Result>;
      if (Date.now() >= until) throw new WaitTimeout(task);
    }
  }

  /**
   * Yields the task as it is now, then after each change, until it has ended. All tasks that a controller follows share one stream of
   * events; a mesh without one is polled once a second. Goes on like `wait` without an answer.
   */
  async *follow<Result = Json>(
    id: string,
    options: Pick<WaitOptions, "signal" | "outageMs"> = {},
  ): AsyncGenerator<Task<Result>, void, undefined> {
    refuseUnknownOptions("tasks.follow", options, { signal: "signal", outageMs: "number" });
    const { signal } = options;
    const outageMs = outageOf(options.outageMs, this.#outageMs);
    const read = (poll: Millis) => this.#getAfter(id, poll, { signal, outageMs });
    const changes = () => (this.#changes ??= loadTaskChanges(this.#api));
    yield* followTask(id, { read, changes, signal }) as AsyncGenerator<Task<Result>>;
  }

  /**
   * Submits a task, waits for its end and returns its result, in one request if the task ends soon. With `privateKey` the
   * worker seals the result and the SDK opens it. Throws `TaskFailed` if the task ended in any state but `succeeded`. Goes on like `wait`
   * without an answer: the submission has an idempotency key and may be repeated.
   */
  run<Result = Json>(
    kind: string,
    payload: unknown = null,
    options: RunOptions = {},
  ): Promise<Result> {
    const submitAndWait = (...args: [string, unknown, RunOptions]) => this.#submitAndWait(...args);
    const result = async (
      id: string,
      privateKey: PrivateKey | undefined,
      { signal, outageMs }: FetchOptions,
    ) => {
      const fetched = { signal, outageMs: outageOf(outageMs, this.#outageMs) };
      return JSON.parse(await this.#requests.resultText(id, privateKey, fetched)) as Json;
    };
    return runTask<Result>({ submitAndWait, result }, kind, payload, options);
  }

  /**
   * Fetches the result of a task that succeeded, of any size. A sealed result needs the private half of the key that the
   * task was submitted with. Throws `OptionsError` if that key is missing or wrong, `MusterApiError` (`invalid_response`) if the
   * digest does not match or, with a pinned mesh key, the mesh has not signed the result.
   */
  async result<Result = Json>(id: string, privateKey?: PrivateKey): Promise<Result> {
    return JSON.parse(await this.resultText(id, privateKey)) as Result;
  }

  /** The same result as JSON, exactly as the peer wrote it: parsing rounds long numbers. Throws as `result`. */
  resultText(id: string, privateKey?: PrivateKey): Promise<string> {
    return this.#requests.resultText(id, privateKey, {});
  }

  /** The result of a task that this client has returned: its `result` field, or as `result` fetches it if it is large or sealed. */
  resultOf<Result = Json>(task: Task<Result>, privateKey?: PrivateKey): Promise<Result> {
    return resultOfTask<Result>(this, task, privateKey);
  }

  /** The same as JSON, exactly as the peer wrote it. */
  async resultTextOf(task: Task<unknown>, privateKey?: PrivateKey): Promise<string> {
    return isInline(task) ? task.result_text : this.resultText(task.id, privateKey);
  }

  /** Why a task was assigned to its peer, or why it is still queued. `attempt` counts from 1; default: the newest one. */
  why(id: string, attempt?: number): Promise<WhyView> {
    const request = { path: `${pathOf(id)}/why`, query: { attempt } };
    return aboutTask(id, () => this.#api.json(answer("WhyView"), request));
  }

  /** Sends the callback of a task again, after it was delivered or after the mesh gave up. */
  repeatCallback(id: string): Promise<Task> {
    return this.#requests.task({ method: "POST", path: `${pathOf(id)}/callback` }, id);
  }

  /** A mesh that ignores `wait` answers the submission at once: the task is then waited for like any other. */
  async #submitAndWait(kind: string, payload: unknown, options: RunOptions): Promise<Task> {
    const { timeoutMs = Number.POSITIVE_INFINITY, outageMs: given } = options;
    const outageMs = outageOf(given, this.#outageMs);
    const until = Date.now() + timeoutMs;
    const submitted = { ...options, waitMs: timeoutMs };
    const task = await this.#requests.submit<Json>(
      kind,
      payload,
      submitted,
      Math.min(outageMs, timeoutMs),
    );
    if (hasEnded(task)) return task;
    const left = Math.max(0, until - Date.now());
    const { signal } = options;
    return this.wait(task.id, {
      timeoutMs: left,
      outageMs,
      ...(signal !== undefined && { signal }),
    });
  }

  /** The task once it has ended, or after `wait` milliseconds. */
  #getAfter(id: string, poll: Millis, fetched: FetchOptions): Promise<Task> {
    return this.#requests.task({ path: pathOf(id), poll, ...fetched }, id);
  }
}
