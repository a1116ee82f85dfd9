import type { Protocol } from "../../protocol/http.ts";
import { OptionsError } from "../errors.ts";
import { publicKeyHex } from "../keys.ts";
import { readMeshLink } from "../mesh-link.ts";
import type { PeerOptions } from "./peer-options.ts";
import { connectUrl } from "../urls.ts";

/** Where a peer goes, and what it knows of the mesh there. */
export interface Destination {
  readonly url: string;
  readonly protocol: Protocol;
  /** The key that must be proved, in hex; null when the first one met is to be believed. */
  readonly meshKey: string | null;
  readonly nextMeshKey: string | null;
  readonly joinKey: string | null;
}

type Asked = Pick<PeerOptions, "url" | "protocol" | "meshKey" | "nextMeshKey" | "joinKey">;

/** Reads what the caller asked for; throws an `OptionsError` when it can't be right. */
export function destinationOf({
  url,
  protocol = "muster/2",
  joinKey,
  ...keys
}: Asked): Destination {
  const link = readMeshLink(url);
  const pinned = keys.meshKey === undefined ? null : publicKeyHex(keys.meshKey);
  if (link !== null && pinned !== null && link.meshKey !== pinned) {
    throw new OptionsError("the link names another mesh key than meshKey does");
  }
  const destination: Destination = {
    url: link?.url ?? url,
    protocol,
    meshKey: pinned ?? link?.meshKey ?? null,
    nextMeshKey: keys.nextMeshKey === undefined ? null : publicKeyHex(keys.nextMeshKey),
    joinKey: joinKey ?? link?.joinKey ?? null,
  };
  connectUrl(destination.url);
  if (destination.joinKey !== null && (destination.meshKey === null || protocol !== "muster/2")) {
    throw new OptionsError("a join key goes only to a mesh whose key is pinned, by muster.2");
  }
  return destination;
}
