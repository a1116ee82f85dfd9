import { readMeshLink, type PeerOptions } from "../client/index.ts";
import { knownMesh, rememberMesh } from "./known-meshes.ts";
import { note } from "./output.ts";
import type { Target } from "./target.ts";

export interface PinnedConnection extends Pick<PeerOptions, "meshKey" | "nextMeshKey" | "joinKey"> {
  readonly url: string;
}

/**
 * How to connect to the target, with the key that the mesh must prove: the given one, else that of the link, else that of
 * the mesh in the state folder, else the one that the mesh proved when the user first joined it.
 */
export async function pinnedConnection(
  target: Target,
  given: string | undefined,
): Promise<PinnedConnection> {
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

/** Stores the keys that the mesh has proved, for the next connection. */
export async function rememberMeshKey(
  { url, meshKey }: PinnedConnection,
  proved: { public_key: string; next_public_key?: string | undefined },
) {
  const isFirst = meshKey === undefined;
  const mesh = { key: proved.public_key, next: proved.next_public_key ?? null };
  await rememberMesh(url, mesh, isFirst);
  if (isFirst) note(`trusting the mesh key ${mesh.key} from now on: this is the first connection`);
}
