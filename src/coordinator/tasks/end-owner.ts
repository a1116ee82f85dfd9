import type { Millis } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { EndedOwner } from "../../registry/ended-owners.ts";
import { endReasonOf, ownerKeyOf, WEBHOOK_SOURCE } from "../../tasks/owner-key.ts";
import { isEnded, type Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import type { Job } from "../kernel/job.ts";
import { endOwnerElsewhere } from "../moves/owners.ts";
import { settleCallback } from "../tracing/queue-spans.ts";
import { cancelAttempt, endTask } from "./leases.ts";

/** Tasks that are cancelled, and scheduled callbacks that are read, in one transaction: other commands wait for it. */
const TASKS_AT_ONCE = 200;
const CALLBACKS_AT_ONCE = 500;

/** The order of another cell to end an owner. */
interface EndOrder {
  /** When the owner was ended. */
  readonly endedAt?: Millis;
  /** The cells that know it. */
  readonly told?: readonly number[];
}

/**
 * Ends what an owner set in motion, because it may cause nothing any more: its tasks are cancelled and its callbacks given up.
 * From this transaction on none of its tasks is offered and no callback of them is sent (`isEnding`). The first part is done
 * at once, and the job `end_owners` does the rest.
 */
export function endOwner(
  context: Context,
  key: string,
  { endedAt = context.now, told = [] }: EndOrder = {},
): void {
  const { registry } = context;
  const place = { dueAt: 0, taskId: "" };
  const owner: EndedOwner = { key, endedAt, tasks: 0, callbacks: 0, place, doneAt: null };
  registry.endedOwners.put(owner);
  endPartOf(context, owner, TASKS_AT_ONCE);
  endOwnerElsewhere(context, key, told);
}

/** Ends what has moved here of an owner that was ended, which this cell may know already. */
export function endMoved(
  context: Context,
  { key, told }: { readonly key: string; readonly told: readonly number[] },
): void {
  const endedAt = context.registry.endedOwners.endedAt(key) ?? context.now;
  endOwner(context, key, { endedAt, told });
}

/** Lets an owner cause tasks again. Refused while tasks of before are being cancelled: later ones would be, too. */
export function readmitOwner({ registry }: Context, key: string): Result<void, MusterError> {
  const free = checkNotEnding({ registry }, key);
  if (free.ok) registry.endedOwners.remove(key);
  return free;
}

/** The same in another cell than the one that has decided it: as soon as the tasks of before are cancelled here. */
export function readmitOnceEnded({ registry }: Context, key: string): void {
  if (!registry.endedOwners.isUnfinished(key)) registry.endedOwners.remove(key);
}

const isSource = ({ registry }: Context, key: string): boolean =>
  key.startsWith(WEBHOOK_SOURCE) &&
  registry.webhookSources.get(key.slice(WEBHOOK_SOURCE.length)) !== null;

/** Refuses what would put a task of an owner in motion while its tasks are being cancelled. */
export function checkNotEnding(
  { registry }: Pick<Context, "registry">,
  key: string,
): Result<void, MusterError> {
  if (!registry.endedOwners.isUnfinished(key)) return ok(undefined);
  return err({
    code: "unavailable",
    detail: `the tasks of ${key} are being cancelled; try again when that is done`,
    retryAfter: 2,
  });
}

export const endOwners: Job = {
  name: "end_owners",
  run: endPart,
  due: {
    reads: ["endedOwners"],
    at: ({ registry, now }) => (registry.endedOwners.unfinished().length > 0 ? now : null),
  },
};

function endPart(context: Context): void {
  let left = TASKS_AT_ONCE;
  for (const owner of context.registry.endedOwners.unfinished()) {
    if (left <= 0) return;
    left -= endPartOf(context, owner, left);
  }
}

/** Cancels at most `limit` tasks of one owner, and gives up callbacks. Returns how many tasks it has cancelled. */
function endPartOf(context: Context, owner: EndedOwner, limit: number): number {
  const { registry, now } = context;
  const ids = openTasksOf(context, owner.key, limit);
  for (const id of ids) cancelFor(context, registry.tasks.get(id), endReasonOf(owner.key));
  const scheduled = registry.callbacks.scheduled({ after: owner.place, limit: CALLBACKS_AT_ONCE });
  const own = scheduled.filter((callback) => ownerKeyOf(callback) === owner.key);
  for (const { taskId } of own) {
    const callback = registry.callbacks.get(taskId);
    if (callback !== null)
      settleCallback(context, { ...callback, state: "cancelled", dueAt: null });
  }
  const ended: EndedOwner = {
    ...owner,
    tasks: owner.tasks + ids.length,
    callbacks: owner.callbacks + own.length,
    place: scheduled.at(-1) ?? owner.place,
    doneAt: ids.length < limit && scheduled.length < CALLBACKS_AT_ONCE ? now : null,
  };
  registry.endedOwners.put(ended);
  if (ended.doneAt !== null) {
    recordEnd(context, ended);
    // Cell 0 lets a source be created again once its own part is done; here the source can be there earlier.
    if (isSource(context, owner.key)) registry.endedOwners.remove(owner.key);
  }
  return ids.length;
}

/** Tasks of an owner that have not ended: those that peers hold first, so that the peers stop. */
function openTasksOf({ registry }: Context, key: string, limit: number): readonly string[] {
  const { running, waiting } = registry.tasks;
  const isOwn = (task: Pick<Task, "owner" | "source">) => ownerKeyOf(task) === key;
  const ids: string[] = [];
  for (const task of running.all()) {
    if (ids.length >= limit) return ids;
    if (isOwn(task)) ids.push(task.id);
  }
  for (const task of waiting.all(isOwn)) {
    if (ids.length >= limit) return ids;
    ids.push(task.id);
  }
  return ids;
}

function cancelFor(context: Context, task: Task | null, reason: string): void {
  if (task === null || isEnded(task.state)) return;
  cancelAttempt(context, task, reason, "caller");
  endTask(context, { ...task, error: reason }, "cancelled");
}

/** The audit log says how much was ended, once all is done. */
function recordEnd({ registry, now }: Context, { key, tasks, callbacks }: EndedOwner): void {
  if (tasks + callbacks === 0) return;
  const act = { actor: "mesh", act: "end_owner", subject: key, outcome: "ok" };
  registry.audit.add({ ...act, detail: { tasks, callbacks } }, "operator", now);
}
