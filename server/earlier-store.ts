import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { SECOND } from "../src/base/clock.ts";
import type { StateFolder } from "../src/cli/state-folder.ts";

/** Where `wrangler dev` kept KV, which ran the meshes of earlier versions: an index in SQLite, and a file for each value. */
const STORE_BEFORE = "v3/kv";
const INDEX = "miniflare-KVNamespaceObject";
/** What was taken over stays under this name. */
const TAKEN = "v3/kv.taken-over";

/**
 * Takes over the large results and sealed records of a mesh that ran under `wrangler dev`. Call it under the lock of the folder, before
 * workerd starts. A start that is killed meanwhile has changed nothing that the next one would miss: entries that are there stay.
 */
export async function takeOverStore({ root, state }: StateFolder, now: number): Promise<void> {
  const before = join(state, STORE_BEFORE);
  const files = await names(join(before, INDEX));
  const indexes = files.filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  if (indexes.length === 0) return;
  // Only here: the oldest Node that runs a mesh has no SQLite.
  const { DatabaseSync } = await import("node:sqlite");
  const { newMeshParts } = await import("../src/cli/backup/mesh-parts.ts");
  const namespaces = (await names(before)).filter((name) => name !== INDEX);
  const { results } = await newMeshParts(root);
  try {
    for (const name of indexes) {
      const index = new DatabaseSync(join(before, INDEX, name));
      try {
        const rows = index.prepare("SELECT key, blob_id, expiration, metadata FROM _mf_entries");
        for (const { key, blob_id: blob, expiration, metadata } of rows.all()) {
          const expires = expiration === null ? null : Math.floor(Number(expiration) / SECOND);
          const value = await valueOf(before, namespaces, String(blob));
          if (value === null || (expires !== null && expires * SECOND <= now)) continue;
          results.add(String(key), value, expires, metadata === null ? null : String(metadata));
        }
      } finally {
        index.close();
      }
    }
  } finally {
    results.close();
  }
  const taken = join(state, TAKEN);
  await rename(before, taken).catch(() => rename(before, `${taken}.${now}`));
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

async function valueOf(
  before: string,
  namespaces: readonly string[],
  blob: string,
): Promise<Uint8Array | null> {
  for (const namespace of namespaces) {
    const value = await readFile(join(before, namespace, "blobs", blob)).catch(() => null);
    if (value !== null) return value;
  }
  return null;
}
