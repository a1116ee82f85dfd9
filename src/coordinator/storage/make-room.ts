import { MINUTE, type Millis } from "../../base/clock.ts";
import type { EndedTask } from "../../registry/ended-tasks.ts";
import type { OwnerTotal } from "../../registry/owner-bytes.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Context } from "../kernel/context.ts";
import { addToOutbox } from "../kernel/marks.ts";
import { budgetsOf } from "./budgets.ts";

/** Ended tasks that are removed at the end of one group of commands, and in one tick. */
export const REMOVED_IN_GROUP = 64;
export const REMOVED_IN_TICK = 500;
/** Tasks of one owner that are removed before the owner with the most bytes is looked for again. */
const REMOVED_OF_OWNER = 4;
/** Tasks that are read to find those without a callback under way. */
const READ_MAX = 500;
/**
 * A task that has just ended stays for this long: its caller may be about to read it. Not those of an owner whose ended tasks take
 * more than an owner's share, when submissions would soon be refused because of them; and none when the database overflows.
 */
const JUST_ENDED: Millis = MINUTE;

type Scope = Pick<Context, "registry" | "config" | "now" | "marks">;

/**
 * One step of making room, if the database is too large: removes ended tasks, always of the owner that has the most bytes of them
 * for its weight. An owner that floods the mesh removes its own history, not that of others.
 */
export function makeRoom(context: Scope, most: number): void {
  const { registry, config } = context;
  const { pruneAbove, pruneTo } = budgetsOf(config.storage.limit);
  const { room } = registry;
  if (registry.size() <= (room.making === "no" ? pruneAbove : pruneTo)) {
    room.making = "no";
    return;
  }
  room.making = "yes";
  for (let removed = 0; removed < most && registry.size() > pruneTo;) {
    const tasks = nextToRemove(context);
    if (tasks.length === 0) {
      room.making = "nothing left";
      return;
    }
    for (const task of tasks) removeTask(context, task);
    removed += tasks.length;
  }
}

/** The oldest ended tasks of one owner: those without a callback under way, if there are any. */
function nextToRemove({ registry, config, now }: Scope): readonly EndedTask[] {
  const { ended } = registry.tasks;
  const owner = largestOwner(registry);
  if (owner === null) return [];
  const [name, bytes] = owner;
  const { hurry, administration, owner: share } = budgetsOf(config.storage.limit);
  const size = registry.size();
  const spares = size <= hurry || (bytes <= share && size <= administration);
  const before = spares ? now - JUST_ENDED : Infinity;
  const settled = ended.oldestSettledOf(name, before, REMOVED_OF_OWNER, READ_MAX);
  return settled.length > 0 ? settled : ended.oldestOf(name, before, REMOVED_OF_OWNER);
}

/** The owner whose ended tasks have the most bytes for its weight. */
function largestOwner({ tasks, ownerLimits }: Registry): OwnerTotal | null {
  let [largest, most]: [OwnerTotal | null, number] = [null, 0];
  for (const [owner, bytes] of tasks.ownerBytes.ended()) {
    const weighed = bytes / ownerLimits.of(owner).weight;
    if (weighed > most) [largest, most] = [[owner, bytes], weighed];
  }
  return largest;
}

/** Removes an ended task with all that belongs to it, also the large result that is stored elsewhere. */
export function removeTask(context: Scope, task: EndedTask): void {
  const { registry } = context;
  const blobId = registry.tasks.ended.remove(task);
  registry.taskResults.kept.forget(task.id);
  registry.callbacks.kept.forget(task.id);
  if (blobId !== null) addToOutbox(context, { kind: "delete_result", blobId });
}
