import { z } from "zod";
import { parseJson } from "../base/json.ts";
import { MUSTER_VERSION } from "../protocol/version.ts";
import { SCHEMA_VERSION } from "../registry/migrate.ts";
import { Failure } from "./failure.ts";
import { readFileIfExists, replaceFile } from "./files.ts";
import type { StateFolder } from "./state-folder.ts";

/** Which Muster has written to a folder last: its version, and the schema version of the coordinator's database. */
const FolderVersion = z.object({ muster: z.string(), schema: z.int().nonnegative() });
export type FolderVersion = z.infer<typeof FolderVersion>;

export const THIS_VERSION: FolderVersion = { muster: MUSTER_VERSION, schema: SCHEMA_VERSION };

/**
 * Refuses a folder that a newer Muster has written, before anything is written to it: this one does not know what the newer one has
 * stored, and would change it wrongly. A folder of an older version is none of that: its database is migrated at the start.
 */
export async function refuseNewerFolder({ version, root }: StateFolder): Promise<void> {
  const text = await readFileIfExists(version);
  if (text === null) return;
  const written = FolderVersion.safeParse(parseJson(text)).data;
  if (written === undefined)
    throw new Failure(
      `${version} is not valid`,
      "it says which version of Muster has written the folder: restore the folder from a backup",
    );
  if (written.schema > SCHEMA_VERSION)
    throw new Failure(
      `${root} was written by Muster ${written.muster} (schema version ${written.schema}); this is Muster ${MUSTER_VERSION} (schema version ${SCHEMA_VERSION})`,
      "start the newer version, or restore a backup that the older one has made into another folder",
    );
}

export const writeFolderVersion = (folder: StateFolder, version = THIS_VERSION): Promise<void> =>
  replaceFile(folder.version, `${JSON.stringify(version)}\n`);
