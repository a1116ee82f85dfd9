import type { CopyOfDirectory, Replication } from "../src/contract/discovery.ts";
import { DIRECTORY_KEY, documentName, pageKey } from "../src/discovery/directory.ts";
import { blobKey } from "../src/discovery/publisher.ts";
import type { DiscoveryStore } from "../src/discovery/store.ts";
import type { OutboxPorts } from "./outbox-runner.ts";

/** Requests that are under way at once. */
const AT_ONCE = 16;
/** Tries (two minutes of them) after which the directory no longer waits for blobs that the mesh's store does not give. */
const MISSING_TRIES = 8;

type Ports = Pick<OutboxPorts, "store" | "replicas" | "execute">;

/** Copies what changed for the replicas, or as much of it as one wake of the object may do; throws when it must be tried again. */
export async function replicate(
  { store, replicas, execute }: Ports,
  failures: number,
): Promise<void> {
  if (replicas === null) return; // the next tick finds that out, and owes it no more
  const document = await replicas.get(DIRECTORY_KEY);
  const held = document === null ? null : documentName(document);
  const prepared = execute("prepare_replication", { held });
  if (!prepared.ok) return;
  const { blobs, directory } = prepared.value;
  const blobIds = await copyBlobs(blobs, store, replicas);
  const more = directory === null;
  execute("blobs_copied", { blobIds, more });
  const incomplete = blobIds.length < blobs.length;
  if (incomplete && failures < MISSING_TRIES)
    throw new Error("a blob that is published is not to be had");
  if (more) return;
  await writeDirectory(directory, replicas);
  const { copied, names } = directory;
  execute("replicated", { copied: { ...copied, incomplete }, names });
}

/** The IDs of those that were copied: KV may not show everywhere yet what it has taken, or be down. */
async function copyBlobs(
  blobs: Replication["blobs"],
  from: DiscoveryStore,
  to: DiscoveryStore,
): Promise<string[]> {
  const copied: string[] = [];
  await inTurn(blobs, async ({ id, expiresAt }) => {
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
  await inTurn(pages, (page) => to.put(pageKey(page.name), page.content, expiresAt));
  await to.put(DIRECTORY_KEY, content, expiresAt);
}

/** A few at once, in their order. */
async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE)
    await Promise.all(items.slice(at, at + AT_ONCE).map(work));
}
