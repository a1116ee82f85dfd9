import type { Millis } from "../../base/clock.ts";
import { TASK_LARGE_RESULT_BYTES_MAX } from "../../protocol/constants.ts";
import * as shapes from "../../protocol/shapes/tasks.ts";
import { aboutTask, errorAbout, MusterApiError } from "../errors.ts";
import { segment, type Api, type ApiRequest } from "../http/api.ts";
import { isOutage } from "../http/request-retry.ts";
import type { PrivateKey } from "../own-keys.ts";
import { sentTrace } from "../tasks/sent-trace.ts";
import { idempotencyKeyOf, submission } from "../tasks/submission.ts";
import { TASK_TEXTS, taskOf, type Task } from "../tasks/task.ts";
import { TASK_WAIT_ROUND } from "../timings.ts";
import type { MeshPin } from "./mesh-pin.ts";
import type { SubmitAndWaitOptions } from "./task-options.ts";

/** How long an answer is waited for. */
type Fetched = Pick<ApiRequest, "signal" | "outageMs">;

/** The path of a task. */
export const pathOf = (id: string): string => `v1/tasks/${segment(id)}`;

/** The requests about one task. Their errors name it; with a pinned mesh key they return signed results only. */
export class TaskRequests {
  readonly #api: Api;
  readonly #pin: MeshPin | null;

  constructor(api: Api, pin: MeshPin | null) {
    this.#api = api;
    this.#pin = pin;
  }

  /** Submits one task. `outageMs`: how long the call goes on without an answer; by default it retries a few times. */
  async submit<Result>(
    kind: string,
    payload: unknown,
    options: SubmitAndWaitOptions,
    outageMs: Millis | undefined,
  ): Promise<Task<Result>> {
    const { waitMs = 0, signal } = options;
    const body = submission(kind, payload, options);
    const idempotencyKey = idempotencyKeyOf(options.idempotencyKey);
    try {
      return await this.task({
        method: "POST",
        path: "v1/tasks",
        poll: waitMs > 0 ? Math.min(waitMs, TASK_WAIT_ROUND) : undefined,
        body,
        headers: { "idempotency-key": idempotencyKey, ...sentTrace(options) },
        idempotent: true,
        outageMs,
        signal,
      });
    } catch (error) {
      throw isOutage(error) ? errorAbout(error, { idempotencyKey }) : error;
    }
  }

  /** One task. `id`: of the one that is asked for; undefined for a submission, whose answer names it. */
  task<Result>(request: ApiRequest, id?: string): Promise<Task<Result>> {
    return aboutTask(id, async () => {
      const task = taskOf(await this.#api.json(shapes.TaskView, { ...request, exact: TASK_TEXTS }));
      if (id !== undefined && task.id !== id.toLowerCase())
        throw new MusterApiError("invalid_response", 200, `the answer to ${id} is task ${task.id}`);
      const pin = this.#pin;
      if (pin === null) return task as Task<Result>;
      const { signal, outageMs } = request;
      const shown = await aboutTask(task.id, () =>
        this.#withSignedResult(task, pin, { signal, outageMs }),
      );
      return shown as Task<Result>;
    });
  }

  /** The mesh signs results, and not the other fields of a task: what this one shows as its result is replaced. */
  async #withSignedResult(task: Task, pin: MeshPin, fetched: Fetched): Promise<Task> {
    if (task.state !== "succeeded" || task.result_url !== null)
      return { ...task, result: null, result_text: "null" };
    const verifier = await pin.verifier(fetched);
    const content = await this.#content(task.id, fetched);
    const { readShownResult } = await import("../tasks/read-result.ts");
    return { ...task, ...(await readShownResult(content, { taskId: task.id, verifier })) };
  }

  #content(id: string, fetched: Fetched) {
    return this.#api.content(
      { path: `${pathOf(id)}/result`, ...fetched },
      TASK_LARGE_RESULT_BYTES_MAX,
    );
  }

  /** The result of a task as JSON. */
  resultText(id: string, privateKey: PrivateKey | undefined, fetched: Fetched): Promise<string> {
    return aboutTask(id, async () => {
      const verifier = await this.#pin?.verifier(fetched);
      const content = await this.#content(id, fetched);
      const { readResult } = await import("../tasks/read-result.ts");
      return readResult(content, { taskId: id, privateKey, verifier });
    });
  }
}
