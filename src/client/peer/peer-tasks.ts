import type { Json } from "../../base/json.ts";
import type { WaitOptions } from "../clients/options.ts";
import type { PrivateKey } from "../own-keys.ts";
import type { RetryOptions } from "../tasks/retry-options.ts";
import type { RunOptions } from "../tasks/run-task.ts";
import type { SubmitOptions } from "../tasks/submission.ts";
import type { Task } from "../tasks/task.ts";

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
  /**
   * Waits until the task has ended, in whichever state, also across a restart of the mesh; throws `WaitTimeout` after `timeoutMs`, and
   * `MusterApiError` (`unreachable`) if the mesh gives no answer for `outageMs`.
   */
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
