import { ok } from "../src/base/result.ts";
import type { Millis } from "../src/base/clock.ts";
import type { CommandName, Input, Output } from "../src/contract/commands.ts";
import type { Registry } from "../src/registry/registry.ts";
import { isEnded } from "../src/tasks/task.ts";
import type { CellAnswer, RpcCommand } from "./rpc.ts";
import type { TaskWaiters } from "./task-waiters.ts";

interface PollPorts {
  readonly registry: Registry;
  readonly waiters: TaskWaiters;
  /** Runs one command of the poll's caller. */
  readonly execute: (command: RpcCommand) => Promise<CellAnswer>;
}

/** Submits a task. Answers once it has ended, or with the task as it is after `ms` milliseconds. */
export async function submitAndWait(
  ports: PollPorts,
  input: Input<"submit_task">,
  ms: Millis,
): Promise<CellAnswer> {
  const executed = await ports.execute({ name: "enqueue_task", input });
  const answer = valueOf<"enqueue_task">(executed);
  if (answer === null) return executed;
  const { id, duplicate } = answer;
  await taskEnd(ports, id, ms);
  const read = await ports.execute({ name: "get_task", input: { id, visibleTo: null } });
  const task = valueOf<"get_task">(read);
  return task === null ? read : [ok({ task, duplicate })];
}

/** Answers with a task once it has ended, or as it is after `ms` milliseconds. */
export async function getOnceEnded(
  ports: PollPorts,
  input: Input<"get_task">,
  ms: Millis,
): Promise<CellAnswer> {
  const command = { name: "get_task", input } as const;
  const read = await ports.execute(command);
  const task = valueOf<"get_task">(read);
  if (task === null || isEnded(task.state)) return read;
  await taskEnd(ports, input.id, ms);
  return ports.execute(command);
}

/** Returns once the task has ended, or after `ms` milliseconds. */
async function taskEnd({ registry, waiters }: PollPorts, id: string, ms: Millis): Promise<void> {
  const task = registry.tasks.get(id);
  if (task !== null && !isEnded(task.state)) await waiters.wait(id, ms);
}

/** What one command has answered; null if it was refused or its caller has to ask again. */
function valueOf<K extends CommandName>([answer]: CellAnswer): Output<K> | null {
  return answer !== undefined && "ok" in answer && answer.ok ? (answer.value as Output<K>) : null;
}
