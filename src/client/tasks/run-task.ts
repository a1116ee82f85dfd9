import type { Json } from "../../base/json.ts";
import type { WaitOptions } from "../clients/options.ts";
import { TaskFailed } from "../errors.ts";
import type { PrivateKey } from "../own-keys.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";
import { sealingTo, SUBMIT_OPTIONS, type SubmitOptions } from "./submission.ts";
import type { Task } from "./task.ts";

export interface RunOptions extends SubmitOptions, WaitOptions {
  /** The worker seals the result to the public half of this key; the SDK opens it with the private half. */
  readonly privateKey?: PrivateKey;
}

export const RUN_OPTIONS: OptionNames<RunOptions> = {
  ...SUBMIT_OPTIONS,
  timeoutMs: "number",
  outageMs: "number",
  privateKey: "key",
};

/** Submits tasks, over HTTP or over a session. */
interface TaskSubmitter {
  /** Submits a task and returns it once it has ended. */
  submitAndWait(kind: string, payload: unknown, options: RunOptions): Promise<Task>;
  result(id: string, privateKey: PrivateKey | undefined, fetched: FetchOptions): Promise<Json>;
}

/** How the result of a task is fetched. */
export type FetchOptions = Pick<WaitOptions, "signal" | "outageMs">;

/** Submits a task, waits for its end and returns its result. Throws `TaskFailed` if it did not succeed. */
export async function runTask<Result>(
  submitter: TaskSubmitter,
  kind: string,
  payload: unknown,
  options: RunOptions,
): Promise<Result> {
  refuseUnknownOptions("run", options, RUN_OPTIONS);
  const { privateKey, signal, outageMs } = options;
  const submitted = { ...options, ...(await sealingTo(privateKey)) };
  const task = await submitter.submitAndWait(kind, payload, submitted);
  if (task.state !== "succeeded") throw new TaskFailed(task);
  return resultOfTask<Result>(submitter, task, privateKey, {
    ...(signal !== undefined && { signal }),
    ...(outageMs !== undefined && { outageMs }),
  });
}

/** Whether the `result` field of a task that has succeeded is its result. */
export const isInline = (task: Task<unknown>): boolean =>
  task.result_url === null && !task.result_sealed;

/**
 * The `result` field of a task that has succeeded, or the fetched and opened result if it is large or sealed. Its type is
 * the caller's claim: results are not validated.
 */
export async function resultOfTask<Result>(
  submitter: Pick<TaskSubmitter, "result">,
  task: Task<unknown>,
  privateKey: PrivateKey | undefined,
  fetched: FetchOptions = {},
): Promise<Result> {
  return (
    isInline(task) ? task.result : await submitter.result(task.id, privateKey, fetched)
  ) as Result;
}
