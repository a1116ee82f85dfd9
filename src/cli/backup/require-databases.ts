import { join } from "node:path";
import { requireDatabase } from "../damaged-database.ts";
import { COORDINATOR, databaseIn, STORE, storeIn } from "./object-file.ts";

/**
 * Refuses the databases of a mesh that are damaged so that nothing can be read from them: the coordinator's, the store's, and those in which
 * workerd keeps the alarms. The many small ones of sessions, which have nothing that a peer does not bring again, are not looked at.
 * @param objects the folder of the objects
 */
export async function requireDatabases(objects: string, isUsed: boolean): Promise<void> {
  await requireDatabase(databaseIn(objects), isUsed);
  await requireDatabase(storeIn(objects), isUsed);
  for (const namespace of [COORDINATOR, "muster-PeerSession", STORE])
    await requireDatabase(join(objects, namespace, "metadata.sqlite"), isUsed);
}
