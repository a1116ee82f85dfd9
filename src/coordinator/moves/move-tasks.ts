import { DAY, SECOND, type Millis } from "../../base/clock.ts";
import { utf8Length } from "../../base/bytes.ts";
import { ok } from "../../base/result.ts";
import type { MoveOffer } from "../../contract/task-moves.ts";
import { TASK_RETENTION } from "../../protocol/constants.ts";
import type { Lane } from "../../registry/lanes.ts";
import { removeMoved, type MovedTask } from "../../registry/moved-tasks.ts";
import { ownerKeyOf } from "../../tasks/owner-key.ts";
import type { TaskArrival } from "../../registry/task-arrivals.ts";
import type { Task } from "../../tasks/task.ts";
import { sendToCell } from "../cells/send-message.ts";
import type { Context } from "../kernel/context.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { mayStillResume } from "../tasks/resume.ts";
import { HOPS_MAX, MOVED_AT_ONCE, permitsLeft, reasonOf, reasonsWith, tasksOf } from "./offers.ts";

/** Tasks of a lane that are examined: more than may move at once, because some of them must stay. */
const LOOKED_AT = 4 * MOVED_AT_ONCE;
/** Bytes of tasks in one message, as JSON. A single task may have more. */
const MESSAGE_BYTES = 512 * 1_024;
/** How long a task that has moved too often stays in a cell in which nobody can take it. */
const LATER_HOP_WAIT: Millis = 30 * SECOND;
/** A row of the database has at most 2 MB: a task whose message would have more does not move. */
const TASK_BYTES_MAX = 1_900_000;

/**
 * Moves queued tasks: in this transaction their rows go into messages for the other cell, and forwards say where they are. From now on no peer
 * of this cell gets them, and the message makes them tasks of the other cell, once.
 */
export const moveTasks: Handler<"move_tasks"> = (context, { to, offer, limit }) => {
  const { registry } = context;
  if (!mayLeaveFor(context, to, offer.reason)) return ok({ moved: 0 });
  const moves: Move[] = [];
  const most = Math.min(limit, MOVED_AT_ONCE);
  for (const lane of registry.tasks.waiting.lanes(offer.shape, "queued")) {
    if (moves.length >= most) break;
    if (lane.owner !== offer.owner || !isStill(context, offer, lane, to)) continue;
    // Those at the front that must stay, because they have moved too often, must not hold up those behind them.
    for (const { id } of tasksOf(context, { ...offer, lane }, LOOKED_AT)) {
      if (moves.length >= most) break;
      const move = moveOf(context, id, offer.reason);
      if (move !== null) moves.push(move);
    }
  }
  for (const moved of inMessages(moves)) send(context, to, moved);
  return ok({ moved: moves.length });
};

/** Whether tasks may go to a cell. */
export function mayLeaveFor(
  { registry }: Pick<Context, "registry">,
  to: number,
  reason: MoveOffer["reason"],
): boolean {
  const { own, topology } = registry.cells;
  const isThere = topology.cells[to] === "active" && to !== own;
  return isThere && (reason === "draining" || registry.taskForwards.hasRoom());
}

/** Whether the reason still holds: other commands may have run since the offer was made. */
function isStill(context: Context, offer: MoveOffer, lane: Lane, to: number): boolean {
  const why = reasonOf(context, offer.shape, lane);
  if (why === null || !reasonsWith(why.reason).includes(offer.reason)) return false;
  return why.to === null || why.to === to;
}

interface Move {
  readonly moved: MovedTask;
  readonly before: Task;
  readonly bytes: number;
}

/** What leaves with a task; null if it must stay. */
export function moveOf(context: Context, id: string, reason: MoveOffer["reason"]): Move | null {
  const { registry } = context;
  const before = registry.tasks.get(id);
  if (before === null || before.state !== "queued") return null;
  const attempts = registry.attempts.of(id);
  // Its earlier peer may still bring the result, and is in this cell.
  if (mayStillResume(context, before, attempts)) return null;
  const callback = registry.callbacks.get(id);
  const extra = registry.taskResults.get(id);
  if ((callback !== null && callback.dueAt !== null) || extra.blobId !== null) return null;
  const arrival = registry.taskArrivals.get(id);
  const isSearch = reason !== "placed" && reason !== "draining";
  const hops = (arrival?.hops ?? 0) + Number(isSearch);
  if (isSearch && hops > HOPS_MAX && !(reason === "unable" && cameLongAgo(context, arrival)))
    return null;
  const { concurrency } = before;
  const isPermitted = concurrency !== null && reason !== "placed";
  if (isPermitted && permitsLeft(context, before) <= 0) return null;
  const own = { cell: registry.cells.own, concurrency };
  const permit = isPermitted ? { ...own, concurrency } : (arrival?.permit ?? null);
  const task = isPermitted ? { ...before, concurrency: null } : before;
  const moved: MovedTask = { task, attempts, callback, sealTo: extra.sealTo, hops, permit };
  const bytes = utf8Length(JSON.stringify(moved));
  return bytes > TASK_BYTES_MAX ? null : { moved, before, bytes };
}

/** Whether a task that nobody here can take may go on, however often it has moved: tasks that move in circles do so slowly. */
function cameLongAgo({ now }: Pick<Context, "now">, arrival: TaskArrival | null): boolean {
  // A clock that was set back must not keep the task.
  return arrival === null || now < arrival.at || now >= arrival.at + LATER_HOP_WAIT;
}

/** The tasks in as few messages as their bytes permit. */
function inMessages(moves: readonly Move[]): readonly (readonly Move[])[] {
  const messages: Move[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const move of moves) {
    if (bytes + move.bytes > MESSAGE_BYTES) {
      messages.push([]);
      bytes = 0;
    }
    messages.at(-1)?.push(move);
    bytes += move.bytes;
  }
  return messages;
}

export function send(context: Context, to: number, moves: readonly Move[]): void {
  const { registry, effects } = context;
  const tasks = moves.map(({ moved }) => moved);
  const seq = sendToCell(context, to, { type: "tasks", tasks });
  for (const { before, moved } of moves) {
    removeMoved(registry.movesSql, registry, before);
    registry.taskForwards.put({
      taskId: before.id,
      cell: to,
      seq,
      owner: ownerKeyOf(before),
      concurrencyKey:
        before.concurrency !== null && moved.permit !== null ? before.concurrency.key : null,
      expiresAt: forwardUntil(before.deadlineAt),
    });
    effects.push({ type: "task_moved", taskId: before.id });
  }
}

/** A task can be there until so long after its deadline. */
const forwardUntil = (deadlineAt: number): number => deadlineAt + TASK_RETENTION + DAY;

/** A task that is put back into the queue has a new deadline, at most 30 days ahead. */
export const renewForward: Handler<"renew_forward"> = ({ registry, now }, { id }) => {
  registry.taskForwards.keepUntil(id, forwardUntil(now + 2 * TASK_RETENTION));
  return done;
};

export const forgetForward: Handler<"forget_forward"> = ({ registry }, { id }) => {
  registry.taskForwards.remove(id);
  return done;
};
