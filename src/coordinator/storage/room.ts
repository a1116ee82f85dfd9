import { err, ok, type Result } from "../../base/result.ts";
import type { CommandName } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import { isPeerOwner } from "../../tasks/owner-key.ts";
import type { Context } from "../kernel/context.ts";
import { budgetsOf } from "./budgets.ts";

type Scope = Pick<Context, "registry" | "config">;

/** Retry hints in seconds: room comes as soon as ended tasks are removed, or only when somebody removes something. */
const FULL_RETRY = 30;

/** The operator itself, with the admin token. It is not one tenant of several, so no default limits it. */
export const OPERATOR = "admin";

/** Bytes that the unended tasks of an owner may take; null: as many as there is room for. */
export function maxBytesOf({ registry, config }: Scope, owner: string): number | null {
  const { maxBytes } = registry.ownerLimits.of(owner);
  return maxBytes ?? (owner === OPERATOR ? null : budgetsOf(config.storage.limit).owner);
}

/**
 * Bytes that they may take in this cell: its share of a limit that the operator has set. An owner without an unended task here may have
 * one of up to the whole limit: else a large task would be refused for ever.
 */
function maxBytesHere(scope: Scope, owner: string, open: number): number | null {
  const { cells, ownerLimits } = scope.registry;
  const { maxBytes } = ownerLimits.of(owner);
  if (maxBytes === null || open === 0 || isPeerOwner(owner)) return maxBytesOf(scope, owner);
  return cells.shareOf(`max_bytes ${owner}`, maxBytes);
}

/** Whether the database has room for a task of an owner that takes so many bytes. */
export function checkRoom(scope: Scope, owner: string, bytes: number): Result<void, MusterError> {
  const { registry, config } = scope;
  if (registry.size() + bytes > budgetsOf(config.storage.limit).submissions)
    return err(storageFull("accepts no task"));
  const open = registry.tasks.ownerBytes.openOf(owner);
  const max = maxBytesHere(scope, owner, open);
  if (max === null || open + bytes <= max) return ok(undefined);
  return err({
    code: "owner_bytes_full",
    detail: `the tasks of this owner that have not ended have ${open} bytes, and this one has ${bytes}: together more than ${inWords(max, maxBytesOf(scope, owner))}; retry when some of them have ended, or ask the operator for a higher limit`,
    retryAfter: FULL_RETRY,
  });
}

const inWords = (max: number, whole: number | null): string =>
  max === whole
    ? `its limit max_bytes, ${max}`
    : `${max}, the share that this cell has of its limit max_bytes, ${whole}`;

/** The answer to a key that is neither known nor allowed when the database is nearly full. */
export const NO_ROOM_FOR_STRANGERS: MusterError = {
  code: "mesh_full",
  detail:
    "the mesh's database is nearly full, and this key is not on the allowlist; retry later, or ask the operator to allow the key",
  retryAfter: 300,
};

/** Whether somebody whom the mesh does not know yet may add something to the database. */
export const hasRoomForStrangers = ({ registry, config }: Scope): boolean =>
  registry.size() <= budgetsOf(config.storage.limit).submissions;

/**
 * The commands of operators that add to the database. They have a reserve behind what callers and peers may fill. Revoking, removing
 * and cancelling are not among them: they go on in a full database.
 */
const ADDS: ReadonlySet<CommandName> = new Set<CommandName>([
  "allow",
  "create_token",
  "create_join_key",
  "put_webhook_source",
  "put_kind",
  "dial_peer",
  "rotate_peer",
]);

/** Why a command is refused that adds to a full database; null when it may run. */
export function fullFault({ registry, config }: Scope, name: CommandName): MusterError | null {
  if (!ADDS.has(name)) return null;
  if (registry.size() <= budgetsOf(config.storage.limit).administration) return null;
  return storageFull("takes nothing new, not even from its operator");
}

const storageFull = (consequence: string): MusterError => ({
  code: "storage_full",
  detail: `the mesh's database is nearly full and ${consequence}; ended tasks are being removed: retry later, or cancel queued tasks`,
  retryAfter: FULL_RETRY,
});
