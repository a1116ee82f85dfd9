/** What events of peers say of the peers that the page knows. */
import type { EventView, PeerView } from "../../../src/protocol/http.ts";

export type Peers = ReadonlyMap<string, PeerView>;

export interface ChangedPeers {
  readonly peers: Peers;
  /** Peers that the events do not describe in full: their records have to be read. */
  readonly unread: readonly string[];
}

/** The peers after events, which are given as JSON in their order. */
export function withPeerEvents(before: Peers, events: readonly string[]): ChangedPeers {
  const peers = new Map(before);
  const unread = new Set<string>();
  for (const text of events) {
    const event = JSON.parse(text) as EventView;
    const { peer: id } = event;
    if (id === null) continue;
    const known = peers.get(id);
    if (event.type === "peer.removed") {
      peers.delete(id);
      unread.delete(id);
    } else if ("scheduling" in event && known !== undefined) {
      const { state } = event;
      const connected = state === "active" || state === "suspect";
      const scheduling = event.leaving ? "draining" : event.scheduling;
      peers.set(id, { ...known, state, scheduling, connected });
      // A session that begins says what the peer handles.
      if (connected && !known.connected) unread.add(id);
    } else unread.add(id);
  }
  return { peers, unread: [...unread] };
}
