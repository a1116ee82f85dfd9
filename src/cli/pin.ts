import { readMeshLink, type PeerOptions } from "../client/index.ts";
import { knownMesh, rememberMesh } from "./known-meshes.ts";
import { note } from "./output.ts";
import type { Target } from "./target.ts";

export type Pinned = Pick<PeerOptions, "url" | "meshKey" | "nextMeshKey" | "joinKey">;

/**
 * Which key a mesh must prove: the one that was given, a link's, that of the mesh which runs from here, or the one that
 * it had when it was first met.
 */
export async function pinOf(target: Target, given: string | undefined): Promise<Pinned> {
  const link = readMeshLink(target.url);
  const url = link?.url ?? target.url;
  const joinKey = link?.joinKey ?? undefined;
  const named = given ?? link?.meshKey ?? target.meshKey;
  if (named !== undefined)
    return { url, meshKey: named, ...(joinKey !== undefined && { joinKey }) };
  const known = await knownMesh(url);
  if (known === null) return { url };
  return { url, meshKey: known.key, ...(known.next !== null && { nextMeshKey: known.next }) };
}

/** Keeps what a mesh has proved of itself, for the next time. */
export async function remember(
  { url, meshKey }: Pinned,
  proved: { public_key: string; next_public_key?: string | undefined },
) {
  if (meshKey === undefined)
    note(`trusting the mesh key ${proved.public_key} from now on: it is the first one met here`);
  await rememberMesh(url, { key: proved.public_key, next: proved.next_public_key ?? null });
}
