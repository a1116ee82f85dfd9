import {
  CELLS_FORMAT_VERSION,
  FORMAT_VERSION,
  type BackupSummary,
  type Manifest,
} from "../../backup/format.ts";
import { readBackup } from "../../backup/read-backup.ts";
import type { SealTo } from "../../backup/sealed-backup.ts";
import { stateOf, writeBackup } from "../../backup/write-backup.ts";
import { MUSTER_VERSION } from "../../protocol/version.ts";
import { requireDatabase } from "../damaged-database.ts";
import { Failure } from "../failure.ts";
import { meshKeyOf, noMeshIn, readMeshFile, stateFolder } from "../state-folder.ts";
import { refuseNewerFolder } from "../folder-version.ts";
import { readPrivateFile } from "../private-file.ts";
import { SECRET_NAMES, secretLinesIn, secretsIn, type Secrets } from "../secrets-file.ts";
import { NO_TARGET, writeBackupFile } from "./backup-file.ts";
import { ConsistentRead } from "./consistent-read.ts";
import { findMeshParts, type MeshParts } from "./mesh-parts.ts";
import { openMeshSnapshot } from "./mesh-snapshot.ts";
import { newHash } from "./new-hash.ts";

interface Options {
  readonly out: string;
  readonly sealTo: SealTo | null;
}

export interface Made {
  readonly manifest: Manifest;
  readonly summary: BackupSummary;
}

/** Backs up the mesh of a folder, whether it runs or not. Its secrets are in the file only if that is sealed. */
export async function backUpFolder(
  dir: string,
  { out, sealTo, secrets }: Options & { readonly secrets: boolean },
): Promise<Made> {
  const parts = await partsOf(dir);
  const mesh = new ConsistentRead(() => openMeshSnapshot(parts), parts.results);
  try {
    const { meshKey, values } = await secretsOf(dir);
    const included = secrets && sealTo !== null ? values : null;
    const first = openMeshSnapshot(parts);
    const { schema, cells } = first;
    first.close();
    const hasOneCell = cells.length === 1;
    const manifest: Manifest = {
      muster_backup: hasOneCell ? FORMAT_VERSION : CELLS_FORMAT_VERSION,
      muster: MUSTER_VERSION,
      schema,
      created_at: new Date().toISOString(),
      mesh_key: meshKey,
      secrets: included,
      ...(!hasOneCell && { cells: [...cells] }),
    };
    const content = {
      manifest,
      results: mesh.results(),
      tables: tablesOf(mesh, manifest),
      missingResults: () => mesh.missing(),
    };
    const summary = await writeBackupFile(out, writeBackup(content, newHash), sealTo);
    return { manifest, summary };
  } finally {
    mesh.close();
    parts.results.close();
  }
}

/** The hash of the state of a folder's mesh, whether it runs or not. */
export async function hashFolder(dir: string) {
  const snapshot = openMeshSnapshot(await partsOf(dir));
  try {
    return { schema: snapshot.schema, ...(await stateOf(snapshot.tables(), newHash)) };
  } finally {
    snapshot.close();
  }
}

async function partsOf(dir: string): Promise<MeshParts> {
  await refuseNewerFolder(stateFolder(dir));
  const parts = await findMeshParts(dir);
  if (parts === null) throw noMeshIn(dir);
  await requireDatabase(parts.database, true);
  return parts;
}

/** The tables once the results were read. A mesh that was upgraded meanwhile has other tables than the manifest says. */
async function* tablesOf(mesh: ConsistentRead, { schema, cells = [0] }: Manifest) {
  if (mesh.snapshot.schema !== schema)
    throw new Failure("the mesh was upgraded while it was backed up", "try again");
  if (mesh.snapshot.cells.join() !== cells.join())
    throw new Failure("the mesh got another cell while it was backed up", "try again");
  yield* mesh.snapshot.tables();
}

async function secretsOf(
  dir: string,
): Promise<{ meshKey: string; values: Record<string, string> | null }> {
  const folder = stateFolder(dir);
  const text = await readPrivateFile(folder.secrets);
  const secrets = text === null ? null : wholeSecrets(text, folder.secrets);
  const mesh = await readMeshFile(folder);
  // A mesh that last ran with another key got its secrets from elsewhere.
  if (secrets !== null && (mesh === null || mesh.mesh_key === meshKeyOf(secrets)))
    return { meshKey: meshKeyOf(secrets), values: secrets };
  if (mesh === null)
    throw new Failure(
      `${dir} has neither ${folder.secrets} nor ${folder.mesh}, so the key of the mesh is not known`,
      "start the mesh once",
    );
  return { meshKey: mesh.mesh_key, values: null };
}

/** Null if some of the secrets are kept elsewhere, as in the environment of the mesh. */
function wholeSecrets(text: string, from: string): Secrets | null {
  const found = secretLinesIn(text, from);
  return SECRET_NAMES.every((name) => found[name] !== undefined) ? secretsIn(text, from) : null;
}

/** Saves the export of a mesh, which is checked while it is saved. */
export async function saveExport(
  stream: ReadableStream<Uint8Array>,
  { out, sealTo }: Options,
): Promise<Made> {
  const found: { manifest?: Manifest } = {};
  const content = checked(stream, (manifest) => void (found.manifest = manifest));
  const summary = await writeBackupFile(out, content, sealTo);
  return { manifest: found.manifest as Manifest, summary };
}

const nothing = (): void => {};

/** The same bytes. Fails at the end if they are no whole backup, so that no file takes its name. */
async function* checked(
  stream: ReadableStream<Uint8Array>,
  onManifest: (manifest: Manifest) => void,
): AsyncGenerator<Uint8Array, BackupSummary, undefined> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const reading = readBackup(readable, { ...NO_TARGET, manifest: onManifest }, newHash);
  // The error is that of the reader, also where a write is the first to fail.
  reading.catch(nothing);
  const writer = writable.getWriter();
  writer.closed.catch(nothing);
  for await (const chunk of stream) {
    await Promise.race([writer.write(chunk), reading]).catch(() => reading);
    yield chunk;
  }
  await writer.close().catch(nothing);
  return (await reading).summary;
}
