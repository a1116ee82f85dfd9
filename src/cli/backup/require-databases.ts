import { existsSync } from "node:fs";
import { join } from "node:path";
import { missingDatabase, orDamaged, requireDatabase } from "../damaged-database.ts";
import { Failure } from "../failure.ts";
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
  if (isUsed) await requireCells(objects, coordinator);
}

/** The same of the other cells, of which cell 0 knows. */
async function requireCells(objects: string, coordinator: string): Promise<void> {
  const cells = await readCells(coordinator, (cell) => databaseIn(objects, cell));
  for (const cell of cells) await requireDatabase(databaseIn(objects, cell), true);
}

async function readCells(
  coordinator: string,
  pathOf: (cell: number) => string,
): Promise<readonly number[]> {
  // Only here: the oldest Node that runs a mesh has no SQLite.
  const reading = await Promise.all([
    import("./database-file.ts"),
    import("./cell-files.ts"),
  ]).catch(() => null);
  if (reading === null) return [];
  const [{ openSnapshot }, { cellsIn }] = reading;
  try {
    const snapshot = openSnapshot(coordinator);
    try {
      return cellsIn(snapshot.sql, pathOf);
    } finally {
      snapshot.close();
    }
  } catch (thrown) {
    const named = orDamaged(coordinator, thrown);
    if (named instanceof Failure) throw named;
    // What else keeps this process from reading it is told by workerd, which opens it next.
    return [];
  }
}
