import { DAY } from "../../base/clock.ts";
import type { ConnectedPeer, DepartedPeer } from "../../contract/cell-messages.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { ProvedKey } from "../../peers/dial.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { dialsAfterDisconnect, dialsAfterRotation } from "../dialing/dial-lifecycle.ts";
import { dialsAfterReport } from "../dialing/remote-addresses.ts";
import type { Context } from "../kernel/context.ts";
import { addToOutbox } from "../kernel/marks.ts";
import { knowDetails } from "./public-metadata.ts";
import { withdrawPointers } from "./withdrawal.ts";

/**
 * In cell 0: what other cells report of their peers. Messages of one cell come in their order; those of two cells do not, and a peer can move
 * from one to another. The epoch of its session, which only grows, says which report is the newest; of a session that has ended, no older
 * report counts.
 */
export function takeConnected(context: Context, cell: number, peer: ConnectedPeer): void {
  const { registry } = context;
  const { peerId, session, listed, record } = peer;
  const before = registry.remotePeers.get(peerId);
  if (isConnectedHere(context, peerId) || (registry.peers.get(peerId)?.epoch ?? 0) > session)
    return;
  if (before !== null && session < before.session + Number(before.endedAt !== null)) return;
  registry.remotePeers.put({ peerId, cell, session, listed, record, endedAt: null });
  if (record === null) withdrawPointers(context, peerId, true);
  else {
    knowDetails(context, peerId, record);
    addToOutbox(context, { kind: "publish", peerId });
  }
  const isNew = before === null || before.session !== session || before.endedAt !== null;
  if (isNew) dialsAfterReport(context, cell, peer);
}

/** How long it is known that a peer has left: longer than a report of another cell is under way. */
const LEFT_KEPT = DAY;

export function takeDeparted(context: Context, cell: number, left: DepartedPeer): void {
  const { registry, now } = context;
  const { peerId, session } = left;
  const before = registry.remotePeers.get(peerId);
  if (before !== null && before.session > session) return;
  registry.remotePeers.removeEndedBefore(now - LEFT_KEPT);
  registry.remotePeers.put({ peerId, cell, session, listed: false, record: null, endedAt: now });
  if (isConnectedHere(context, peerId)) return;
  withdrawPointers(context, peerId, left.lingers);
  dialsAfterDisconnect(context, peerId, left.reason);
}

/** A peer has another key, which has what is left of the old one's share of writes. */
export function takeRotation(context: Context, from: PeerId, to: ProvedKey): void {
  context.registry.kvShares.move(from, to.peerId);
  dialsAfterRotation(context, from, to);
}

/** The peer has moved to this cell: it has its newest session. */
function isConnectedHere({ registry }: Context, peerId: PeerId): boolean {
  const peer = registry.peers.get(peerId);
  return peer !== null && isConnected(peer.state);
}

/** The mode is `allowlist` now: nothing of a stranger is published any more, whatever its cell has not reported yet. */
export function withdrawStrangers(context: Context): void {
  for (const peerId of context.registry.remotePeers.strangers())
    withdrawPointers(context, peerId, false);
}
