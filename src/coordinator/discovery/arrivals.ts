import { isConnected } from "../../peers/lifecycle.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { NOT_REPORTED } from "../../registry/reported-peers.ts";
import type { Context } from "../kernel/context.ts";
import { addToOutbox } from "../kernel/marks.ts";
import { takeDeparted } from "./take-reports.ts";

/**
 * A peer has moved to this cell, with its session if it is connected: cell 0 goes on publishing it. If its session has ended meanwhile, its
 * former cell may not have said so, and says nothing about the peer any more.
 */
export function noteArrival(context: Context, peerId: PeerId): void {
  const { registry, now } = context;
  const peer = registry.peers.get(peerId);
  const reported = registry.reportedPeers.get(peerId);
  const isOpen = peer !== null && isConnected(peer.state);
  const session = Math.max(reported?.session ?? 0, peer?.epoch ?? 0);
  if (registry.cells.own === 0) {
    registry.reportedPeers.remove(peerId);
    if (isOpen || registry.remotePeers.get(peerId) === null) return;
    return takeDeparted(context, 0, { peerId, session, reason: "", lingers: false });
  }
  // Numbers of messages are those of the former cell, and cell 0 reports nothing.
  if (isOpen)
    registry.reportedPeers.put({
      ...NOT_REPORTED,
      ...reported,
      peerId,
      session,
      hasLeft: false,
      seq: 0,
    });
  else if (reported?.hasLeft === true) registry.reportedPeers.remove(peerId);
  else if (reported !== null) addToOutbox(context, { kind: "publish", peerId }, now);
}
