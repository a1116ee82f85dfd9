import type { Json } from "../../base/json.ts";
import type { WaitOptions } from "../clients/options.ts";
import { TaskFailed } from "../errors.ts";
import type { PrivateKey } from "../keys.ts";
import { sealingTo, type AssignOptions } from "./submission.ts";
import type { Task } from "./task.ts";

export interface RunOptions extends AssignOptions, WaitOptions {
  /** Has the result sealed on its way, and opens it. */
  readonly privateKey?: PrivateKey;
}

/** Whoever gives tasks: over HTTP, or over a session. */
interface Giver {
  assign(kind: string, payload: unknown, options: AssignOptions): Promise<Task>;
  wait(id: string, options: WaitOptions): Promise<Task>;
  result(id: string, privateKey?: PrivateKey): Promise<Json>;
}

/** Assigns and waits: the task's result. Throws `TaskFailed` if it ended in any other way. */
export async function runTask(
  giver: Giver,
  kind: string,
  payload: unknown,
  options: RunOptions,
): Promise<Json> {
  const { privateKey } = options;
  const { id } = await giver.assign(kind, payload, { ...options, ...sealingTo(privateKey) });
  const task = await giver.wait(id, options);
  if (task.state !== "succeeded") throw new TaskFailed(task);
  return resultOfTask(giver, task, privateKey);
}

/** What stands in a task that has succeeded, or what is fetched and opened. */
export async function resultOfTask(
  giver: Pick<Giver, "result">,
  task: Task,
  privateKey: PrivateKey | undefined,
): Promise<Json> {
  const there = task.result_url === null && !task.result_sealed;
  return there ? task.result : giver.result(task.id, privateKey);
}
