import { ok } from "../src/base/result.ts";
import { SECOND, type Millis } from "../src/base/clock.ts";
import type { CommandName, Input, Output } from "../src/contract/commands.ts";
import { holderOf, isMoving } from "../src/coordinator/moves/forwarded.ts";
import type { Registry } from "../src/registry/registry.ts";
import { isEnded } from "../src/tasks/task.ts";
import type { CellAnswer, CellTarget, RpcCommand } from "./rpc.ts";
import type { TaskWaiters } from "./task-waiters.ts";

export interface PollPorts {
  readonly registry: Registry;
  readonly waiters: TaskWaiters;
  readonly now: () => Millis;
  /** Which cell the poll's caller has asked, and by which topology. */
  readonly to: CellTarget;
  /** Runs one command of the poll's caller. */
  readonly execute: (command: RpcCommand, to: CellTarget) => Promise<CellAnswer>;
  /**
   * Has another cell answer once the task has ended, or as it is after `ms` milliseconds. A cell that does not answer is an `unavailable` error;
   * it never throws.
   */
  readonly elsewhere: (cell: number, input: Input<"get_task">, ms: Millis) => Promise<CellAnswer>;
}

/** While a task is on its way to another cell, it is looked again after this time whether it is there, and then after twice the time. */
const MOVING_INTERVAL: Millis = 10;
const MOVING_INTERVAL_MAX: Millis = SECOND / 10;
/** The same while the cell that has the task does not answer. */
const SILENT_INTERVAL: Millis = SECOND;

/** Submits a task. Answers once it has ended, or with the task as it is after `ms` milliseconds. */
export async function submitAndWait(
  ports: PollPorts,
  input: Input<"submit_task">,
  ms: Millis,
): Promise<CellAnswer> {
  const executed = await ports.execute({ name: "enqueue_task", input }, ports.to);
  const answer = valueOf<"enqueue_task">(executed);
  if (answer === null) return executed;
  const { id, duplicate } = answer;
  const asked = { id, visibleTo: null };
  const accepted = duplicate ? null : await readBeforeItMoves(ports, asked);
  const read = await readOnceEnded(ports, asked, ms);
  // Told to ask again, the caller would submit the task twice.
  const task = valueOf<"get_task">(read) ?? (isUnavailable(read) ? accepted : null);
  return task === null ? read : [ok({ task, duplicate })];
}

/** A task that was accepted here, if it may move to another cell and has not yet. */
async function readBeforeItMoves(
  { registry, execute, to: { cell } }: PollPorts,
  input: Input<"get_task">,
): Promise<Output<"get_task"> | null> {
  if (registry.cells.isSingle || holderOf(registry, input.id) !== null) return null;
  return valueOf<"get_task">(await execute({ name: "get_task", input }, { cell, topology: null }));
}

/** Answers with a task once it has ended, or as it is after `ms` milliseconds. */
export async function getOnceEnded(
  ports: PollPorts,
  input: Input<"get_task">,
  ms: Millis,
): Promise<CellAnswer> {
  const read = await ports.execute({ name: "get_task", input }, ports.to);
  const task = valueOf<"get_task">(read);
  const mayEnd = task === null ? saysMoving(read) : !isEnded(task.state);
  return mayEnd ? readOnceEnded(ports, input, ms) : read;
}

/** Whether the answer is that the task is on its way to another cell. */
const saysMoving = ([answer]: CellAnswer): boolean =>
  answer !== undefined && "ok" in answer && !answer.ok && isMoving(answer.error);

/** Whether the answer is that a cell can't say now how it is with the task. */
const isUnavailable = ([answer]: CellAnswer): boolean =>
  answer !== undefined && "ok" in answer && !answer.ok && answer.error.code === "unavailable";

/**
 * Waits for the end of a task here, and goes on in the other cell with the time that is left if it moves there. While that one does not
 * answer, it is asked again.
 */
async function readOnceEnded(
  ports: PollPorts,
  input: Input<"get_task">,
  ms: Millis,
): Promise<CellAnswer> {
  const { registry, waiters, now } = ports;
  const until = now() + ms;
  for (let interval = MOVING_INTERVAL; ;) {
    const left = until - now();
    const holder = registry.cells.isSingle ? null : holderOf(registry, input.id);
    if (typeof holder === "number") {
      const answer = await ports.elsewhere(holder, input, Math.max(0, left));
      const still = until - now();
      if (still <= 0 || !isUnavailable(answer)) return answer;
      await waiters.wait(input.id, Math.min(still, SILENT_INTERVAL));
      continue;
    }
    const task = registry.tasks.get(input.id);
    const isOnItsWay = holder === "moving";
    if (left <= 0 || (!isOnItsWay && (task === null || isEnded(task.state)))) break;
    await waiters.wait(input.id, isOnItsWay ? Math.min(left, interval) : left);
    if (isOnItsWay) interval = Math.min(2 * interval, MOVING_INTERVAL_MAX);
  }
  // A caller that had to ask again by a newer topology would submit the task again.
  const { cell } = ports.to;
  return ports.execute({ name: "get_task", input }, { cell, topology: null });
}

/** What one command has answered; null if it was refused or its caller has to ask again. */
function valueOf<K extends CommandName>([answer]: CellAnswer): Output<K> | null {
  return answer !== undefined && "ok" in answer && answer.ok ? (answer.value as Output<K>) : null;
}
