import { randomUUID } from "node:crypto";
import { readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BackupError, type Manifest } from "../../backup/format.ts";
import type { OpenWith } from "../../backup/sealed-backup.ts";
import { stateOf } from "../../backup/write-backup.ts";
import { isDiskFull } from "../disk-full.ts";
import { Failure, UsageError } from "../failure.ts";
import { errorCode, makeFolder, noFolder, replaceFile } from "../files.ts";
import { writeFolderVersion } from "../folder-version.ts";
import { readPrivateInput } from "../private-file.ts";
import { readStandardInput } from "../standard-input.ts";
import { secretsIn, secretsText, type Secrets } from "../secrets-file.ts";
import { meshKeyOf, stateFolder } from "../state-folder.ts";
import { readBackupFile, type OpenedBackup } from "./backup-file.ts";
import { newMeshParts, type MeshParts } from "./mesh-parts.ts";
import { newHash } from "./new-hash.ts";
import { RestoredMesh } from "./restored-mesh.ts";

export interface RestoreOptions {
  readonly file: string;
  /** The folder, which must be empty or not exist. */
  readonly dir: string;
  readonly opener: OpenWith | null;
  /** The file with the secrets of the mesh; `-` reads stdin. */
  readonly secretsFile: string | undefined;
}

/**
 * Builds a mesh's folder from a backup: in a folder beside it, which takes its name once the backup was read to its end, its hashes are
 * right and the new database has the state that it states. Until then, and after any failure, there is no mesh in the folder.
 */
export async function restoreFolder(options: RestoreOptions): Promise<OpenedBackup> {
  const dir = resolve(options.dir);
  await requireEmpty(dir, options.dir);
  const building = `${dir}.${randomUUID()}.restoring`;
  const given = options.secretsFile === undefined ? null : await secretsOf(options.secretsFile);
  await makeFolder(building).catch((error: unknown) => {
    throw noFolder(dirname(dir), error, "choose another folder with --dir");
  });
  try {
    const restored = await fill(await newMeshParts(building), options);
    await writeRest(building, restored.manifest, given);
    // A folder that was made meanwhile is not replaced: `rmdir` and `rename` both fail unless it is empty.
    await rmdir(dir).catch(() => {});
    await rename(building, dir);
    return restored;
  } catch (error) {
    if (isDiskFull(error))
      throw new Failure("the disk is full: nothing was restored", "free space and try again");
    throw error;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

async function requireEmpty(dir: string, shown: string): Promise<void> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    const choose = "choose another folder with --dir";
    if (errorCode(error) === "ENOTDIR") throw new UsageError(`${shown} is not a folder`, choose);
    throw new Failure(`cannot read the folder ${shown} (${errorCode(error)})`, choose);
  });
  if (names.length > 0)
    throw new Failure(
      `${shown} is not empty: a mesh is restored into an empty folder only`,
      "choose another --dir",
    );
}

/** The secrets, and the version that wrote what is in the folder: a newer Muster migrates it when it starts. */
async function writeRest(
  building: string,
  { muster, schema, mesh_key: meshKey, secrets: included }: Manifest,
  given: Secrets | null,
): Promise<void> {
  const secrets = given ?? fromBackup(included);
  if (meshKeyOf(secrets) !== meshKey)
    throw new Failure(
      `these are the secrets of another mesh: their key is ${meshKeyOf(secrets)}, that of the backup ${meshKey}`,
      "pass the secrets of the mesh that was backed up",
    );
  const folder = stateFolder(building);
  await replaceFile(folder.secrets, secretsText(secrets));
  await writeFolderVersion(folder, { muster, schema });
}

function fromBackup(included: Manifest["secrets"]): Secrets {
  if (included === null)
    throw new Failure(
      "this backup does not have the secrets of the mesh, without which its peers do not know it",
      "pass a copy of its secrets.env with --secrets-file",
    );
  return secretsIn(
    Object.entries(included)
      .map(([name, value]) => `${name}=${value}`)
      .join("\n"),
    "the backup",
  );
}

/** The secrets that the user gives, read before anything is restored: what is wrong with them is an error of the call. */
async function secretsOf(file: string): Promise<Secrets> {
  const isStdin = file === "-";
  const hint = "it is the file of --secrets-file, a copy of secrets.env";
  const text = isStdin
    ? await readStandardInput("--secrets-file")
    : await readPrivateInput(file, hint);
  try {
    return secretsIn(text, isStdin ? "stdin" : file);
  } catch (error) {
    throw error instanceof Failure ? new UsageError(error.message, hint) : error;
  }
}

async function fill(parts: MeshParts, { file, opener }: RestoreOptions): Promise<OpenedBackup> {
  const target = new RestoredMesh(parts);
  try {
    const opened = await readBackupFile(file, target, opener);
    const { summary } = opened;
    target.commit();
    const { state_hash: hash } = await stateOf(target.pages(), newHash);
    if (hash !== summary.state_hash)
      throw new BackupError(
        "backup_damaged",
        `the restored database has the state ${hash}, the backup states ${summary.state_hash}`,
      );
    await parts.results.keepOnly(new Set(target.resultIds()));
    target.finish();
    return opened;
  } finally {
    parts.results.close();
    target.close();
  }
}
