import { budgetsOf } from "../storage/budgets.ts";
import type { Context, CoordinatorConfig } from "../kernel/context.ts";

/**
 * How many rows strangers can leave: keys that are not listed, of which anybody can make any number. What listed keys and the
 * operator leave is bounded by the allowlist, and is never removed to make room.
 */
export function strangerLimits({
  peersMax,
  storage,
}: Pick<CoordinatorConfig, "peersMax" | "storage">) {
  // A small database has room for fewer rows.
  const { peerRows, smallRows } = budgetsOf(storage.limit);
  return {
    /** Records, of connected strangers and of those that left. */
    records: Math.min(2 * peersMax, peerRows),
    tombstones: Math.min(10 * peersMax, smallRows),
    /** Old keys of strangers that rotated, with their aliases. */
    rotatedKeys: Math.min(2 * peersMax, smallRows),
    /** Strangers that hold discovery keys and are known one by one. */
    keyHolders: Math.min(4 * peersMax, smallRows),
  };
}

/** Networks and locations of which failures are remembered. */
const FAILED_GROUPS_MAX = 4_096;

/** Called when a tombstone was added: removes the oldest ones of keys that are not listed when there are too many. */
export function limitTombstones({ registry, config }: Pick<Context, "registry" | "config">): void {
  const { tombstones } = strangerLimits(config);
  if (registry.trims.isDue("tombstones", tombstones)) registry.tombstones.trimStrangers(tombstones);
}

/** Called when a stranger has rotated: forgets the oldest rotations of strangers when there are too many. */
export function limitRotatedKeys({ registry, config }: Pick<Context, "registry" | "config">): void {
  const { rotatedKeys } = strangerLimits(config);
  if (!registry.trims.isDue("rotated_keys", rotatedKeys)) return;
  for (const id of registry.denylist.trimRotatedStrangers(rotatedKeys)) registry.aliases.remove(id);
}

/** Called when a failure was recorded: forgets the groups that have been quiet for longest when there are too many. */
export function limitFailedGroups({ registry }: Pick<Context, "registry">): void {
  if (registry.trims.isDue("correlated_failures", FAILED_GROUPS_MAX))
    registry.correlatedFailures.trim(FAILED_GROUPS_MAX);
}
