import { existsSync } from "node:fs";
import { join } from "node:path";
import { missingDatabase, requireDatabase } from "../damaged-database.ts";
import { COORDINATOR, databaseIn, STORE, storeIn } from "./object-file.ts";

/**
 * Refuses the databases of a mesh that are damaged so that nothing can be read from them: the coordinator's, the store's, and those in which
 * workerd keeps the alarms. The many small ones of sessions, which have nothing that a peer does not bring again, are not looked at. That of
 * the coordinator, without which nothing is left of the mesh, must exist once the mesh has run.
 *
 * @param objects the folder of the objects
 */
export async function requireDatabases(objects: string, isUsed: boolean): Promise<void> {
  const coordinator = databaseIn(objects);
  if (isUsed && !existsSync(coordinator)) throw missingDatabase(coordinator);
  await requireDatabase(coordinator, isUsed);
  await requireDatabase(storeIn(objects), isUsed);
  for (const namespace of [COORDINATOR, "muster-PeerSession", STORE])
    await requireDatabase(join(objects, namespace, "metadata.sqlite"), isUsed);
}
