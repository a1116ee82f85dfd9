import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { newMeshParts, type MeshParts } from "../../../src/cli/backup/mesh-parts.ts";
import { replaceFile } from "../../../src/cli/files.ts";
import { newSecrets, stateFolder } from "../../../src/cli/state-folder.ts";
import { secretsText, type Secrets } from "../../../src/cli/secrets-file.ts";
import { TestMesh } from "../../coordinator/mesh.ts";
import { nodeSql } from "../../node-sql.ts";

/** A folder in the form in which a mesh leaves it, with a coordinator that works on its database. */
export interface MeshFolder {
  readonly dir: string;
  readonly secrets: Secrets;
  readonly parts: MeshParts;
  readonly database: DatabaseSync;
  readonly mesh: TestMesh;
}

/** Runs a test with a new temporary folder, and removes it. */
export async function inTemporaryFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "muster-backup-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function meshFolder(dir: string): Promise<MeshFolder> {
  const parts = await newMeshParts(dir);
  const secrets = newSecrets();
  await replaceFile(stateFolder(dir).secrets, secretsText(secrets));
  const database = new DatabaseSync(parts.database);
  database.exec("PRAGMA journal_mode = WAL");
  const mesh = new TestMesh({ sql: nodeSql(database) });
  return { dir, secrets, parts, database, mesh };
}

/** A task that has ended, whose result is in the store. */
export async function storeResult({ mesh, parts }: MeshFolder, blobId: string): Promise<void> {
  const { id } = mesh.submit({ kind: "echo" });
  await parts.results.write(blobId, contentOf(blobId));
  mesh.sql.exec(
    `INSERT INTO task_results (task_id, sealed, blob_id, bytes) VALUES (?, 0, ?, ?)`,
    id,
    blobId,
    blobId.length,
  );
}

export async function* contentOf(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield new TextEncoder().encode(text);
}
