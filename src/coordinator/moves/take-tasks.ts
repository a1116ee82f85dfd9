import { homeOf } from "../../cells/topology.ts";
import { insertMoved, type MovedTask } from "../../registry/moved-tasks.ts";
import { endReasonOf, ownerKeyOf } from "../../tasks/owner-key.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { endTask } from "../tasks/leases.ts";

/** Tasks of another cell are tasks of this one from now on. Whether there is room was asked before, and is not asked again: the other cell has them no more. */
export function takeTasks(context: Context, from: number, tasks: readonly MovedTask[]): void {
  for (const moved of tasks) takeTask(context, from, moved);
  markWorkAvailable(context);
}

function takeTask(context: Context, from: number, moved: MovedTask): void {
  const { registry, now: at } = context;
  const { id, lastFence } = moved.task;
  // Only in a mesh whose cells were restored from different moments: one of them keeps it.
  if (registry.tasks.get(id) !== null) return;
  const hasReturned = moved.permit?.cell === registry.cells.own;
  // If it counted for its concurrency key here, it does so no more: it is here itself.
  registry.taskForwards.remove(id);
  const permit = hasReturned ? null : moved.permit;
  const concurrency = hasReturned ? (moved.permit?.concurrency ?? null) : moved.task.concurrency;
  // An offer of this cell has a greater fence than any of the other one. A task that was never offered begins with its first attempt here.
  const task: Task = { ...moved.task, concurrency, lastFence: lastFence === 0 ? 0 : lastFence + 1 };
  insertMoved(registry, { ...moved, task });
  const { hops } = moved;
  registry.taskArrivals.put({ taskId: id, hops, attempts: task.attemptsUsed, at, permit });
  if (isOver(context, from, task))
    endTask(context, { ...task, error: endReasonOf(ownerKeyOf(task)) }, "cancelled");
}

/** Whether the owner may cause nothing any more: it was revoked here while its task was on its way. */
function isOver({ registry }: Context, from: number, task: Task): boolean {
  if (!registry.endedOwners.isEnded(task)) return false;
  const key = ownerKeyOf(task);
  const { topology } = registry.cells;
  // The home of a peer sends its end before tasks that it submits once it is allowed again.
  const isReadmitted = task.source === "peer" && from === homeOf(topology, key);
  if (isReadmitted && !registry.endedOwners.isUnfinished(key)) registry.endedOwners.remove(key);
  return !isReadmitted || registry.endedOwners.isUnfinished(key);
}
