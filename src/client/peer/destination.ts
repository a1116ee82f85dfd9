import type { Protocol } from "../../protocol/http.ts";
import { OptionsError } from "../errors.ts";
import { publicKeyHex } from "../public-key.ts";
import { readMeshLink } from "../mesh-link.ts";
import { connectUrl } from "../urls.ts";
import type { PeerOptions } from "./peer-options.ts";

/** The mesh that a peer dials, and the keys that it knows of it. */
export interface Destination {
  readonly url: string;
  readonly protocol: Protocol;
  /** The key that the mesh must prove, in hex; null pins the first key that is proved. */
  readonly meshKey: string | null;
  /** The key that the mesh has announced as its next one, in hex. */
  readonly nextMeshKey: string | null;
  readonly joinKey: string | null;
}

type DestinationOptions = Pick<
  PeerOptions,
  "url" | "protocol" | "meshKey" | "nextMeshKey" | "joinKey"
>;

/** The destination that the options name; throws an `OptionsError` if they are not valid or contradict each other. */
export function resolveDestination({
  url: given,
  protocol = "muster/2",
  joinKey,
  ...keys
}: DestinationOptions): Destination {
  const url = String(given);
  const link = readMeshLink(url);
  const pinned = keys.meshKey === undefined ? null : publicKeyHex(keys.meshKey);
  if (link !== null && pinned !== null && link.meshKey !== pinned) {
    throw new OptionsError("meshKey is not the key of the muster:// link; leave one of them out");
  }
  const destination: Destination = {
    url: link?.url ?? url,
    protocol,
    meshKey: pinned ?? link?.meshKey ?? null,
    nextMeshKey: keys.nextMeshKey === undefined ? null : publicKeyHex(keys.nextMeshKey),
    joinKey: joinKey ?? link?.joinKey ?? null,
  };
  connectUrl(destination.url); // throws if the URL is not that of a mesh
  if (destination.joinKey !== null && (destination.meshKey === null || protocol !== "muster/2")) {
    throw new OptionsError("a join key needs meshKey, or a muster:// link, and protocol muster/2");
  }
  return destination;
}
