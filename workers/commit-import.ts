import { stateOf } from "../src/backup/write-backup.ts";
import { err, type Result } from "../src/base/result.ts";
import type { Output } from "../src/contract/commands.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { BackupInfo, ImportView } from "../src/protocol/http.ts";
import type { BackupRow } from "../src/registry/backup-tables.ts";
import type { GatewayPort } from "../durable/coordinator-port.ts";
import { partsMissing } from "../src/coordinator/storage/import.ts";
import { nativeHash } from "./native-hash.ts";

/** How often the coordinator is asked whether it has started with the rows of the backup, and how long that takes each time. */
const ASKED_MAX = 100;
const ASKED_EVERY_MS = 100;

/**
 * Compares what has arrived with what the backup says of itself, and makes it the state of the mesh. Answers once the mesh has started
 * with it. A commit that was done already is answered as before.
 */
export async function commitImport(
  coordinator: GatewayPort,
  id: string,
  parts: number,
): Promise<Result<ImportView, MusterError>> {
  const found = await coordinator.call("get_import", { id });
  if (!found.ok || found.value.state === "committed") return found;
  if (found.value.parts !== parts) return err(partsMissing(found.value.parts, parts));
  const arrived = await coordinator.call("get_import_tables", { id });
  if (!arrived.ok) return arrived;
  const { tables, results, header } = arrived.value;
  const stated = JSON.parse(header) as BackupInfo;
  const state = { ...(await stateOf(pagesOf(coordinator, id, tables), nativeHash)), results };
  for (const name of ["tables", "rows", "results", "state_hash"] as const)
    if (state[name] !== stated[name])
      return err({
        code: "invalid_request",
        detail: `what has arrived has ${name} ${state[name]}, and the backup states ${stated[name]}; nothing was changed: end this import, and send the file again`,
      });
  const committed = await coordinator.commitImport(id, parts);
  return committed.ok ? onceStarted(coordinator, id) : committed;
}

/** The rows that have arrived, page by page. */
async function* pagesOf(
  coordinator: GatewayPort,
  id: string,
  tables: Output<"get_import_tables">["tables"],
) {
  for (const { name, columns } of tables) {
    let after: BackupRow | null = null;
    do {
      const page: Result<Output<"read_import">, MusterError> = await coordinator.call(
        "read_import",
        { id, table: name, after },
      );
      if (!page.ok) throw new Error(`reading the import failed: ${page.error.detail}`);
      const { lines, rows } = page.value;
      yield { table: name, columns, lines, rows };
      after = page.value.next;
    } while (after !== null);
  }
}

async function onceStarted(
  coordinator: GatewayPort,
  id: string,
): Promise<Result<ImportView, MusterError>> {
  for (let asked = 1; ; asked++) {
    const found = await coordinator.call("get_import", { id });
    if (found.ok || found.error.code !== "unavailable" || asked === ASKED_MAX) return found;
    await new Promise((resolve) => setTimeout(resolve, ASKED_EVERY_MS));
  }
}
