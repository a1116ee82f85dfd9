import type { Peer } from "../peers/peer.ts";
import type { PeerEvent } from "../protocol/events.ts";

/**
 * The event of a change of a peer; null when neither its state nor its scheduling changed.
 *
 * @param before null for a new peer
 */
export function peerEvent(peer: Peer, before: Peer | null): PeerEvent | null {
  const { operator, leaving } = peer.scheduling;
  const entered = before?.state !== peer.state;
  const isSame =
    !entered && before.scheduling.operator === operator && before.scheduling.leaving === leaving;
  if (isSame) return null;
  return {
    type: entered ? `peer.${peer.state}` : "peer.scheduling",
    peer: peer.id,
    name: peer.name,
    state: peer.state,
    previous: before?.state ?? null,
    scheduling: operator,
    leaving,
  };
}
