import { SECOND, type Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import {
  BatchView,
  FailuresView,
  TaskList,
  TaskStats,
  TaskView,
  WhyView,
  type SubmitTaskInput,
  type TaskSummary,
} from "../../protocol/http.ts";
import { MusterApiError, WaitTimeout } from "../errors.ts";
import { segment, type Api, type ApiRequest } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import type { PrivateKey } from "../keys.ts";
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
import { readResult, readShownResult } from "../tasks/read-result.ts";
import { RETRY_OPTIONS, retryBody, type RetryOptions } from "../tasks/retry-options.ts";
import { isInline, resultOfTask, runTask, type RunOptions } from "../tasks/run-task.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import { idempotencyKeyOf, submission, type SubmitOptions } from "../tasks/submission.ts";
import { hasEnded, TASK_TEXTS, taskOf, type Task } from "../tasks/task.ts";
import { TASK_POLL_INTERVAL, TASK_WAIT_ROUND } from "../timings.ts";
import type { MeshPin } from "./mesh-pin.ts";
import { WAIT_OPTIONS, type WaitOptions } from "./options.ts";
import {
  SUBMIT_AND_WAIT_OPTIONS,
  TASK_FILTER,
  type SubmitAndWaitOptions,
  type TaskFilter,
} from "./task-options.ts";

/** A task of a batch, as the HTTP API describes it. The payload is any value that JSON can hold, or a `JsonText`. */
type BatchTask = Omit<SubmitTaskInput, "payload"> & { readonly payload?: unknown };

/**
 * Submits tasks and follows them to their end, over HTTP. A `Result` type parameter is the caller's claim about the
 * handler's return type: the SDK does not validate results.
 */
export class TasksClient {
  readonly #api: Api;
  readonly #pin: MeshPin | null;

  /** `pin`: the mesh's key, if the caller has pinned it; then results must have the mesh's signature. */
  constructor(api: Api, pin: MeshPin | null) {
    this.#api = api;
    this.#pin = pin;
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
    const { waitMs = 0 } = options;
    const wait = Math.min(waitMs, TASK_WAIT_ROUND);
    return this.#task({
      method: "POST",
      path: "v1/tasks",
      query: { wait: wait > 0 ? wait / SECOND : undefined },
      wait,
      body: submission(kind, payload, options),
      headers: idempotencyHeader(options),
      idempotent: true,
      signal: options.signal,
    });
  }

  /**
   * Submits up to 100 tasks in one request. The outcomes have the order of `tasks`; each is a task or an error. A second
   * call with the same idempotency key creates no further tasks.
   */
  async submitBatch(
    tasks: readonly BatchTask[],
    options: Pick<SubmitOptions, "idempotencyKey" | "signal"> = {},
  ): Promise<BatchView["results"]> {
    refuseUnknownOptions("tasks.submitBatch", options, { idempotencyKey: true, signal: true });
    const { results } = await this.#api.json(BatchView, {
      method: "POST",
      path: "v1/task-batches",
      body: {
        tasks: tasks.map((task, i) => ({
          ...task,
          payload: payloadJson(task.payload, `tasks[${i}].payload`),
        })),
      },
      headers: idempotencyHeader(options),
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
    return listing(this.#api, TaskList, { path: "v1/tasks", query }, ({ tasks }) => tasks);
  }

  /** One task by its ID. */
  get<Result = Json>(id: string): Promise<Task<Result>> {
    return this.#task({ path: pathOf(id) }, id);
  }

  /** Cancels a task that has not ended, and returns it. */
  cancel(id: string): Promise<Task> {
    return this.#task({ method: "DELETE", path: pathOf(id) }, id);
  }

  /**
   * Puts a task that failed, expired or was cancelled back into the queue, with all its attempts and a new deadline, and
   * returns it. A task that has not ended is left as it is.
   */
  async retry<Result = Json>(id: string, options: RetryOptions = {}): Promise<Task<Result>> {
    refuseUnknownOptions("tasks.retry", options, RETRY_OPTIONS);
    const body = retryBody(options);
    return this.#task({ method: "POST", path: `${pathOf(id)}/retry`, body, idempotent: true }, id);
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
    return this.#api.json(FailuresView, {
      path: "v1/tasks/failures",
      query: failuresQuery(filter),
    });
  }

  /** How many tasks wait and run, by kind and by owner, as far as the token may see them, and the limits that hold. */
  stats(): Promise<TaskStats> {
    return this.#api.json(TaskStats, { path: "v1/tasks/stats" });
  }

  /** Waits until the task has ended, in whichever state; throws `WaitTimeout` after `timeoutMs`. */
  async wait<Result = Json>(id: string, options: WaitOptions = {}): Promise<Task<Result>> {
    refuseUnknownOptions("tasks.wait", options, WAIT_OPTIONS);
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    const until = Date.now() + timeoutMs;
    for (;;) {
      const wait = Math.max(0, Math.min(TASK_WAIT_ROUND, until - Date.now()));
      const task = await this.#getAfter(id, wait, signal);
      if (hasEnded(task)) return task as Task<Result>;
      if (Date.now() >= until) throw new WaitTimeout(task);
    }
  }

  /** Yields the task as it is now, then after each change, until it has ended. Polls once a second. */
  async *follow<Result = Json>(
    id: string,
    options: Pick<WaitOptions, "signal"> = {},
  ): AsyncGenerator<Task<Result>, void, undefined> {
    refuseUnknownOptions("tasks.follow", options, { signal: true });
    const { signal } = options;
    let previous = "";
    for (let wait = 0; ; wait = TASK_POLL_INTERVAL) {
      const task = await this.#getAfter(id, wait, signal);
      const current = JSON.stringify(task);
      if (current !== previous) yield task as Task<Result>;
      if (hasEnded(task)) return;
      previous = current;
    }
  }

  /**
   * Submits a task, waits for its end and returns its result, in one request if the task ends soon. With `privateKey` the
   * worker seals the result and the SDK opens it. Throws `TaskFailed` if the task ended in any state but `succeeded`.
   */
  run<Result = Json>(
    kind: string,
    payload: unknown = null,
    options: RunOptions = {},
  ): Promise<Result> {
    const submitAndWait = (...args: [string, unknown, RunOptions]) => this.#submitAndWait(...args);
    const result = (id: string, privateKey?: PrivateKey) => this.result(id, privateKey);
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
  async resultText(id: string, privateKey?: PrivateKey): Promise<string> {
    const verifier = await this.#pin?.verifier();
    const response = await this.#api.response({ path: `${pathOf(id)}/result` });
    return readResult(response, { taskId: id, privateKey, verifier });
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
    return this.#api.json(WhyView, { path: `${pathOf(id)}/why`, query: { attempt } });
  }

  /** Sends the callback of a task again, after it was delivered or after the mesh gave up. */
  repeatCallback(id: string): Promise<Task> {
    return this.#task({ method: "POST", path: `${pathOf(id)}/callback` }, id);
  }

  /** A mesh that ignores `wait` answers the submission at once: the task is then waited for like any other. */
  async #submitAndWait(kind: string, payload: unknown, options: RunOptions): Promise<Task> {
    const { timeoutMs = Number.POSITIVE_INFINITY, privateKey: _, ...submitted } = options;
    const { signal } = submitted;
    const until = Date.now() + timeoutMs;
    const task = await this.submit(kind, payload, { ...submitted, waitMs: timeoutMs });
    if (hasEnded(task)) return task;
    return this.wait(task.id, { timeoutMs: Math.max(0, until - Date.now()), signal });
  }

  /** The task once it has ended, or after `wait` milliseconds. */
  #getAfter(id: string, wait: Millis, signal: AbortSignal | undefined): Promise<Task> {
    return this.#task({ path: pathOf(id), query: { wait: wait / SECOND }, wait, signal }, id);
  }

  /** `id`: of the task that is asked for; undefined for a submission, whose answer names it. */
  async #task<Result>(request: ApiRequest, id?: string): Promise<Task<Result>> {
    const task = taskOf(await this.#api.json(TaskView, { ...request, exact: TASK_TEXTS }));
    if (id !== undefined && task.id !== id.toLowerCase())
      throw new MusterApiError("invalid_response", 200, `the answer to ${id} is task ${task.id}`);
    const pin = this.#pin;
    return (pin === null ? task : await this.#withSignedResult(task, pin)) as Task<Result>;
  }

  /** The mesh signs results, and not the other fields of a task: what this one shows as its result is replaced. */
  async #withSignedResult(task: Task, pin: MeshPin): Promise<Task> {
    if (task.state !== "succeeded" || task.result_url !== null)
      return { ...task, result: null, result_text: "null" };
    const verifier = await pin.verifier();
    const response = await this.#api.response({ path: `${pathOf(task.id)}/result` });
    return { ...task, ...(await readShownResult(response, { taskId: task.id, verifier })) };
  }
}

const pathOf = (id: string): string => `v1/tasks/${segment(id)}`;

const idempotencyHeader = ({ idempotencyKey }: Pick<SubmitOptions, "idempotencyKey">) => ({
  "idempotency-key": idempotencyKeyOf(idempotencyKey),
});
