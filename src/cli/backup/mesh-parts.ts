import { access } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../files.ts";
import { stateFolder } from "../state-folder.ts";
import { KvDatabase } from "./kv-database.ts";
import { COORDINATOR, databaseIn, STORE, storeIn } from "./object-file.ts";

/** What a backup needs to know of a mesh's folder. */
export interface MeshParts {
  /** The file of the database of cell 0, which is the only one of most meshes. */
  readonly database: string;
  /** The file of the database of a cell. */
  readonly databaseOf: (cell: number) => string;
  /** The task results in the store. */
  readonly results: KvDatabase;
}

/** Where workerd keeps the Durable Objects of a mesh, and where `wrangler dev` kept those of earlier versions. */
const OBJECTS = "objects";
const OBJECTS_BEFORE = "v3/do";

/** The parts of the mesh in a folder; null if none was ever started there. */
export async function findMeshParts(dir: string): Promise<MeshParts | null> {
  for (const objects of [OBJECTS, OBJECTS_BEFORE]) {
    const parts = partsIn(join(stateFolder(dir).state, objects));
    if (await exists(parts.database)) return parts;
  }
  return null;
}

/** The parts of a new mesh, in new folders. */
export async function newMeshParts(dir: string): Promise<MeshParts> {
  const objects = join(stateFolder(dir).state, OBJECTS);
  for (const namespace of [COORDINATOR, STORE]) await makeFolder(join(objects, namespace));
  return partsIn(objects);
}

const partsIn = (objects: string): MeshParts => ({
  database: databaseIn(objects),
  databaseOf: (cell) => databaseIn(objects, cell),
  results: new KvDatabase(storeIn(objects)),
});

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
