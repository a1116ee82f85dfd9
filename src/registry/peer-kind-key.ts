import type { PeerId } from "../protocol/ids.ts";

/** The key in memory of what is known about a peer and a kind. Peer IDs have no spaces. */
export const peerKindKey = (peerId: PeerId, kind: string): string => `${peerId} ${kind}`;

export function peerAndKindOf(key: string): readonly [peerId: PeerId, kind: string] {
  const space = key.indexOf(" ");
  return [key.slice(0, space), key.slice(space + 1)];
}
