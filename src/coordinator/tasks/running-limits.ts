import type { LaneTraits } from "../../registry/lanes.ts";
import { isCountedElsewhere } from "../moves/placement.ts";
import type { Registry } from "../../registry/registry.ts";
import { isPeerOwner } from "../../tasks/owner-key.ts";
import type { Context } from "../kernel/context.ts";

/** A limit for which a task waits although a peer could take it. */
export type RunningLimit = "owner" | "concurrency_key" | "kind_concurrency" | "kind_rate";

/** How many tasks of an owner the peers of this cell may hold. Those of a peer are all in its cell. */
const runningShare = ({ cells }: Registry, owner: string, limit: number): number =>
  isPeerOwner(owner) ? limit : cells.shareOf(`max_running ${owner}`, limit);

/** How many tasks of a kind they may hold. */
const concurrencyShare = ({ cells }: Registry, kind: string, limit: number): number =>
  cells.shareOf(`concurrency ${kind}`, limit);

/** The limit that holds the tasks of an owner and a concurrency key; null when none does. */
export function laneLimit(
  { registry }: Pick<Context, "registry">,
  { owner, concurrency }: Pick<LaneTraits, "owner" | "concurrency">,
): RunningLimit | null {
  const { running } = registry.tasks;
  const { maxRunning } = registry.ownerLimits.of(owner);
  if (maxRunning !== null && running.ofOwner(owner) >= runningShare(registry, owner, maxRunning))
    return "owner";
  if (concurrency === null) return null;
  const elsewhere = registry.taskForwards.permitsOf(owner, concurrency.key);
  const held = running.ofKey(owner, concurrency.key) + elsewhere;
  const isOpen = held < concurrency.limit && !isCountedElsewhere(registry, { owner, concurrency });
  return isOpen ? null : "concurrency_key";
}

/** The limit of a kind that holds its tasks; null when none does. */
export function kindLimit(
  { registry, now }: Pick<Context, "registry" | "now">,
  kind: string,
): RunningLimit | null {
  const settings = registry.kindSettings.get(kind);
  if (settings === null) return null;
  const { concurrency } = settings;
  if (
    concurrency !== null &&
    registry.tasks.running.ofKind(kind) >= concurrencyShare(registry, kind, concurrency)
  )
    return "kind_concurrency";
  return registry.kindSettings.permittedAt(kind, now) > now ? "kind_rate" : null;
}

type LimitedTask = Pick<LaneTraits, "owner" | "concurrency"> & { readonly kind: string };

/** The limit for which a task waits, in words; null when none holds it. */
export function limitReason(context: Context, task: LimitedTask): string | null {
  const { registry, now } = context;
  const limit = kindLimit(context, task.kind) ?? laneLimit(context, task);
  const settings = registry.kindSettings.get(task.kind);
  switch (limit) {
    case null:
      return null;
    case "owner": {
      const max = registry.ownerLimits.of(task.owner).maxRunning ?? 0;
      const share = runningShare(registry, task.owner, max);
      return `its owner has ${share} at peers, the limit max_running${ofCell(share, max)}`;
    }
    case "concurrency_key":
      return `its concurrency key "${task.concurrency?.key}" has ${task.concurrency?.limit} at peers, the limit of the key`;
    case "kind_concurrency": {
      const max = settings?.concurrency ?? 0;
      const share = concurrencyShare(registry, task.kind, max);
      return `kind ${task.kind} has ${share} at peers, the concurrency of the kind${ofCell(share, max)}`;
    }
    case "kind_rate": {
      const seconds = (registry.kindSettings.permittedAt(task.kind, now) - now) / 1_000;
      return `kind ${task.kind} has a rate of ${settings?.rate?.perSecond} tasks per second; the next one is offered in ${seconds} s`;
    }
    default:
      return limit satisfies never;
  }
}

/** Added to the limit of a cell that is smaller than that of the mesh. */
const ofCell = (share: number, whole: number): string =>
  share === whole ? "" : ` of this cell (of ${whole} in the mesh)`;
