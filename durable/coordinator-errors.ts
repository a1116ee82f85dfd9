import { isDamagedError } from "../src/base/damaged-storage.ts";
import { isFullError } from "../src/base/full-storage.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { RPC_VERSION } from "../src/protocol/constants.ts";

const FAILED: MusterError = {
  code: "unavailable",
  detail: "the coordinator failed to run the command; try again",
  retryAfter: 2,
};

/** SQLite itself had no room, as on a full disk: what the command wrote is undone. */
export const NO_ROOM: MusterError = {
  code: "storage_full",
  detail:
    "the disk of the mesh is full, so this was not stored for certain; what the mesh acknowledged before is safe: free space on its disk, then try again",
  retryAfter: 5,
};

/** The same for a call that only reads: its object is closed, and can't be opened. */
export const NO_ROOM_TO_READ: MusterError = {
  code: "storage_full",
  detail:
    "the disk of the mesh is full, and the database that has this can't be opened without room; what the mesh acknowledged before is safe: free space on its disk, then try again",
  retryAfter: 5,
};

/** SQLite can't read what the command needs. Nobody but the operator can mend that. */
export const DAMAGED: MusterError = {
  code: "unavailable",
  detail:
    "a database of the mesh is damaged: the operator must stop the mesh and restore a backup into a new folder",
  retryAfter: 60,
};

/** The answer to a command that threw. */
export function failureOf(thrown: unknown): MusterError {
  if (isFullError(thrown)) return NO_ROOM;
  return isDamagedError(thrown) ? DAMAGED : FAILED;
}

/** Why the object of a mesh ends after an import: what the calls that wait for it get to see. */
const REPLACED_REASON = "a backup was imported";

export const isReplacedError = (thrown: unknown): boolean =>
  thrown instanceof Error && thrown.message.includes(REPLACED_REASON);

export const REPLACED: MusterError = {
  code: "unavailable",
  detail: `${REPLACED_REASON}, and the mesh starts with it; try again`,
  retryAfter: 1,
};

export const REVOKE_UNCONFIRMED: MusterError = {
  code: "revoke_unconfirmed",
  detail:
    "the mesh has stored it, but a live session, or a cell of the mesh, has not confirmed it yet; it is being repeated: until then the session can go on, and the cell can act as before",
  retryAfter: 10,
};

export const unspoken = (version: number): MusterError => ({
  code: "unavailable",
  detail: `this call has version ${version}, the coordinator speaks ${RPC_VERSION}: a deploy is under way`,
  retryAfter: 5,
});
