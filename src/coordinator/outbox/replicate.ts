import type { CopyOfDirectory, Replication } from "../../contract/discovery.ts";
import { DIRECTORY_KEY, documentName, pageKey } from "../../discovery/directory.ts";
import { blobKey } from "../../discovery/sealed-records.ts";
import type { DiscoveryStore } from "../../discovery/store.ts";
import type { ExecuteMeshCommand } from "./delivery.ts";

/** Requests that are in flight at the same time. */
const CONCURRENT_REQUESTS = 16;
/** Attempts (about two minutes) after which the directory is copied without the blobs that the mesh's store does not return. */
const MISSING_BLOB_ATTEMPTS = 8;

interface ReplicationPorts {
  readonly store: DiscoveryStore;
  /** The store that replicas read; null when there are none. */
  readonly replicas: DiscoveryStore | null;
  readonly execute: ExecuteMeshCommand;
}

/** Copies what changed to the store of the replicas, up to the limit of one wake of the object. Throws when it must be retried. */
export async function replicate(
  { store, replicas, execute }: ReplicationPorts,
  failures: number,
): Promise<void> {
  if (replicas === null) return; // the next tick removes the entry
  const held = await directoryIn(replicas);
  const prepared = execute("prepare_replication", { held });
  if (!prepared.ok) return;
  const { blobs, directory } = prepared.value;
  const blobIds = await copyBlobs(blobs, store, replicas);
  const more = directory === null;
  execute("blobs_copied", { blobIds, more });
  const incomplete = blobIds.length < blobs.length;
  if (incomplete && failures < MISSING_BLOB_ATTEMPTS)
    throw new Error("the store did not return a blob that is published");
  if (more) return;
  await writeDirectory(directory, replicas);
  const { copied, names } = directory;
  execute("replicated", { copied: { ...copied, incomplete }, names });
}

/** Looks whether the store of the replicas holds the directory that was written last: it may have lost it without any change here. */
export async function checkCopy({
  replicas,
  execute,
}: Pick<ReplicationPorts, "replicas" | "execute">): Promise<void> {
  if (replicas === null) return; // the next tick removes the entry
  execute("copy_checked", { held: await directoryIn(replicas) });
}

/** The name of the directory in a store; null when it has none. */
async function directoryIn(store: DiscoveryStore): Promise<string | null> {
  const document = await store.get(DIRECTORY_KEY);
  return document === null ? null : documentName(document);
}

/** Returns the IDs of the copied blobs. KV may not return a new blob everywhere yet, or be down. */
async function copyBlobs(
  blobs: Replication["blobs"],
  from: DiscoveryStore,
  to: DiscoveryStore,
): Promise<string[]> {
  const copied: string[] = [];
  await inBatches(blobs, async ({ id, expiresAt }) => {
    const bytes = await from.get(blobKey(id)).catch(() => null);
    if (bytes === null) return;
    await to.put(blobKey(id), bytes, expiresAt);
    copied.push(id);
  });
  return copied;
}

async function writeDirectory(
  { pages, content, expiresAt }: CopyOfDirectory,
  to: DiscoveryStore,
): Promise<void> {
  await inBatches(pages, (page) => to.put(pageKey(page.name), page.content, expiresAt));
  await to.put(DIRECTORY_KEY, content, expiresAt);
}

/** Works on a few items at a time, in their order. */
async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += CONCURRENT_REQUESTS)
    await Promise.all(items.slice(at, at + CONCURRENT_REQUESTS).map(work));
}
