import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { ImportCopy } from "../../registry/import-copy.ts";
import { isConstraintError } from "../../registry/backup-tables.ts";
import { openImport, partsMissing, stateHashOf } from "./import.ts";

/**
 * Makes the rows of an import those of the mesh, in a transaction of its own. Not a command: afterwards nothing that was read from the
 * database before is right, and the object must be opened anew.
 *
 * @param parts how many parts had arrived when the rows were compared with their hash
 */
export function commitImport(
  importCopy: ImportCopy,
  id: string,
  parts: number,
): Result<void, MusterError> {
  const open = openImport(importCopy, id);
  if (!open.ok) return open;
  const arrived = importCopy.partCount();
  if (arrived !== parts) return err(partsMissing(arrived, parts));
  try {
    importCopy.commit(stateHashOf(open.value));
  } catch (thrown) {
    if (!isConstraintError(thrown)) throw thrown;
    return err({
      code: "invalid_request",
      detail:
        "the rows of the backup do not fit each other or their tables; nothing was changed: end this import",
    });
  }
  return ok(undefined);
}
