import { formerHomesOf, homeOf, liveCells } from "../../cells/topology.ts";
import type { CellMessage } from "../../contract/cell-messages.ts";
import { PeerId } from "../../protocol/ids.ts";
import type { Task } from "../../tasks/task.ts";
import { sendAndAwait, sendToCell } from "../cells/send-message.ts";
import type { Context } from "../kernel/context.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { sessionOf } from "../peers/scored-peers.ts";
import { assignerScope } from "../tasks/assigner-scope.ts";
import { shownTo } from "../tasks/task-view.ts";

type Message<T extends CellMessage["type"]> = Extract<CellMessage, { type: T }>;

/**
 * An owner was ended whose tasks have moved: the cells that got them end it, too, before the caller is answered, and so do those that got them
 * from there.
 *
 * @param told cells that know it. They are not told again: of two cells that wait for each other's confirmation neither would confirm
 */
export function endOwnerElsewhere(
  context: Context,
  key: string,
  told: readonly number[] = [],
): void {
  const { registry } = context;
  const { cells, taskForwards } = registry;
  if (cells.isSingle) return;
  const former = formerCellsOf(context, key);
  const known = [...told, cells.own];
  const others = [...new Set([...taskForwards.cellsOf(key), ...former])].filter(
    (cell) => !known.includes(cell),
  );
  for (const cell of others) {
    const message = { type: "end_owner", key, told: [...known, ...others] } as const;
    // Where a peer that may not submit tasks was before, there is nothing to wait for.
    const isAwaited = !former.includes(cell) || registry.peers.get(key)?.mayAssign !== false;
    if (isAwaited) sendAndAwait(context, cell, message);
    else sendToCell(context, cell, message);
  }
}

/** The key of a peer was readmitted: the cells that have ended it as an owner of tasks let it cause tasks again. */
export function readmitOwnerElsewhere(context: Context, key: string): void {
  const { cells, taskForwards } = context.registry;
  if (cells.isSingle) return;
  for (const cell of new Set([...taskForwards.cellsOf(key), ...formerCellsOf(context, key)]))
    sendToCell(context, cell, { type: "owner_readmitted", key });
}

/** The same in one of those cells. While tasks of before are being cancelled the message is refused, and comes again. */
export function readmitOwnerHere({ registry }: Context, key: string): void {
  if (registry.endedOwners.isUnfinished(key))
    throw new Error(`the tasks of ${key} are being cancelled`);
  registry.endedOwners.remove(key);
}

/** The cells in which a peer whose home this cell is may have submitted tasks before. */
export function formerCellsOf(
  { registry, now }: Pick<Context, "registry" | "now">,
  key: string,
): readonly number[] {
  const { topology, own } = registry.cells;
  if (!PeerId.safeParse(key).success || homeOf(topology, key) !== own) return [];
  const live = liveCells(topology);
  const all = [...formerHomesOf(topology, key, now), ...registry.peerMoves.sourcesOf(key, now)];
  return all.filter((cell) => cell !== own && live.includes(cell));
}

/** The key of a peer was rotated whose tasks have moved. */
export function rotateOwnerElsewhere(context: Context, from: PeerId, to: PeerId): void {
  const { cells, taskForwards } = context.registry;
  if (cells.isSingle) return;
  for (const cell of new Set([...taskForwards.cellsOf(from), ...formerCellsOf(context, from)]))
    sendToCell(context, cell, { type: "owner_rotated", from, to });
  taskForwards.handOver(from, to);
}

/** The same in a cell that got tasks of the peer. */
export function rotateOwner(context: Context, from: PeerId, to: PeerId): void {
  context.registry.tasks.handOver(from, to);
  context.registry.idempotency.handOver(assignerScope(from), assignerScope(to));
  rotateOwnerElsewhere(context, from, to);
}

/** A task has ended here that another cell has to know of: the one where it counts for its concurrency key. */
export function returnPermit(context: Context, task: Task): void {
  const { registry } = context;
  if (registry.cells.isSingle) return;
  const arrival = registry.taskArrivals.get(task.id);
  if (arrival === null || arrival.permit === null) return;
  const { cell, concurrency } = arrival.permit;
  registry.taskArrivals.put({ ...arrival, permit: null });
  // If it is put back into the queue, it goes to the cell of its key again.
  registry.movesSql.exec(
    `UPDATE tasks SET concurrency_key = ?, concurrency_limit = ? WHERE id = ?`,
    concurrency.key,
    concurrency.limit,
    task.id,
  );
  registry.tasks.kept.forget(task.id);
  sendToCell(context, cell, { type: "permit_returned", taskId: task.id });
}

export function takePermit(context: Context, { taskId }: Message<"permit_returned">): void {
  context.registry.taskForwards.endPermit(taskId);
  markWorkAvailable(context);
}

/** Informs the peer that submitted a task of its end, if its home is another cell. */
export function reportToHome(context: Context, { owner, id }: Pick<Task, "owner" | "id">): void {
  const { cells } = context.registry;
  if (cells.isSingle) return;
  const home = homeOf(cells.topology, owner);
  if (home === cells.own) return;
  const shown = shownTo(context, owner, id);
  sendToCell(context, home, { type: "report", owner, shown });
}

export function takeReport(context: Context, { owner, shown }: Message<"report">): void {
  const peer = context.registry.peers.get(owner);
  const to = peer === null ? null : sessionOf(peer);
  if (to !== null) context.effects.push({ type: "report", to, shown });
}
