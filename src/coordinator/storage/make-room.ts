import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import type { EndedTask } from "../../registry/ended-tasks.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Context } from "../kernel/context.ts";
import { deleteResult } from "../kernel/marks.ts";
import { budgetsOf } from "./budgets.ts";

/** Ended tasks that are removed at the end of one group of commands, and in one tick. */
export const REMOVED_IN_GROUP = 64;
export const REMOVED_IN_TICK = 500;
/** Tasks of one owner that are removed before the owner with the most bytes is looked for again. */
const REMOVED_OF_OWNER = 4;
/**
 * Owners that are listed at once, and how often one of them is chosen before they are listed again: all owners are gone through once
 * for so many choices, and the owner that is chosen is still the largest of all.
 */
const OWNERS_LISTED = 256;
/** Tasks that are read to find those without a callback under way. */
const READ_MAX = 500;
/**
 * A task that has just ended stays for this long: its caller may be about to read it. Not those of an owner whose ended tasks take
 * more than an owner's share, when submissions would soon be refused because of them; and none when the database overflows.
 */
const JUST_ENDED: Millis = MINUTE;
/** When there was nothing to remove, and no hurry, it is not looked again for this long. */
const LOOK_INTERVAL: Millis = SECOND;

type Scope = Pick<Context, "registry" | "config" | "now" | "marks">;

/**
 * One step of making room, if the database is too large: removes ended tasks, always of the owner that has the most bytes of them
 * for its weight. An owner that floods the mesh removes its own history, not that of others.
 */
export function makeRoom(context: Scope, most: number): void {
  const { registry, config, now } = context;
  const { pruneAbove, pruneTo, hurry } = budgetsOf(config.storage.limit);
  const { room } = registry;
  const size = registry.size();
  if (size <= (room.making === "no" ? pruneAbove : pruneTo)) {
    room.making = "no";
    room.looksAgainAt = 0;
    return;
  }
  if (size <= hurry && now < room.looksAgainAt) return;
  room.making = "yes";
  for (let removed = 0; removed < most && registry.size() > pruneTo;) {
    const tasks = nextToRemove(context);
    if (tasks.length === 0) {
      room.making = "nothing left";
      room.looksAgainAt = now + LOOK_INTERVAL;
      return;
    }
    for (const task of tasks) removeTask(context, task);
    removed += tasks.length;
  }
}

/** The oldest ended tasks of the largest owner that has any old enough: those without a callback under way, if there are any. */
function nextToRemove(context: Scope): readonly EndedTask[] {
  const { registry } = context;
  const { largest } = registry.room;
  if (largest.uses <= 0 || largest.owners.size === 0) listLargest(registry);
  largest.uses--;
  for (let owner = largestListed(registry); owner !== null; owner = largestListed(registry)) {
    const tasks = oldestOf(context, owner);
    if (tasks.length > 0) return tasks;
    largest.owners.delete(owner); // the next one gives way, until the owners are listed again
  }
  return [];
}

function oldestOf({ registry, config, now }: Scope, owner: string): readonly EndedTask[] {
  const { ended, ownerBytes } = registry.tasks;
  const { hurry, administration, owner: share } = budgetsOf(config.storage.limit);
  const size = registry.size();
  const spares = size <= hurry || (ownerBytes.endedOf(owner) <= share && size <= administration);
  const before = spares ? now - JUST_ENDED : Infinity;
  const settled = ended.oldestSettledOf(owner, before, REMOVED_OF_OWNER, READ_MAX);
  return settled.length > 0 ? settled : ended.oldestOf(owner, before, REMOVED_OF_OWNER);
}

/** Lists the owners whose ended tasks have the most bytes for their weight, with their weights. */
function listLargest({ tasks, ownerLimits, room: { largest } }: Registry): void {
  const weights = ownerLimits.weights();
  const found: { readonly owner: string; readonly weight: number; readonly weighed: number }[] = [];
  for (const [owner, bytes] of tasks.ownerBytes.ended()) {
    const weight = weights.get(owner) ?? 1;
    const weighed = bytes / weight;
    if (found.length >= OWNERS_LISTED && weighed <= (found.at(-1)?.weighed ?? 0)) continue;
    let at = found.length;
    while (at > 0 && (found[at - 1]?.weighed ?? 0) < weighed) at--;
    found.splice(at, 0, { owner, weight, weighed });
    if (found.length > OWNERS_LISTED) found.pop();
  }
  largest.owners.clear();
  for (const { owner, weight } of found) largest.owners.set(owner, weight);
  largest.uses = OWNERS_LISTED;
}

/** Of the listed owners the one whose ended tasks have the most bytes for its weight now. */
function largestListed({ tasks, room: { largest } }: Registry): string | null {
  let [found, most]: [string | null, number] = [null, 0];
  for (const [owner, weight] of largest.owners) {
    const weighed = tasks.ownerBytes.endedOf(owner) / weight;
    if (weighed > most) [found, most] = [owner, weighed];
  }
  return found;
}

/** Removes an ended task with all that belongs to it, also the large result that is stored elsewhere. */
export function removeTask(context: Scope, task: EndedTask): void {
  const { registry } = context;
  const blobId = registry.tasks.ended.remove(task);
  registry.taskResults.kept.forget(task.id);
  registry.callbacks.kept.forget(task.id);
  if (blobId !== null) deleteResult(context, blobId);
}
