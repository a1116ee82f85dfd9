import type { CellMessage, ConnectedPeer, RemovedAddress } from "../../contract/cell-messages.ts";
import { homeOf } from "../../cells/topology.ts";
import type { Dial } from "../../peers/dial.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import { disconnectPeer } from "../admission/sessions.ts";
import { sendAndAwait, sendToCell } from "../cells/send-message.ts";
import type { Context } from "../kernel/context.ts";
import { endSession } from "../peers/scored-peers.ts";
import { connectedElsewhere } from "./dialed-elsewhere.ts";
import { applyDialEvent, startDials } from "./dial-scheduler.ts";
import { listAsDiscovered } from "./discovered-peers.ts";

/**
 * Cell 0 has the registered addresses and dials them. The peers that it finds may belong to other cells: which of them are connected it
 * knows from their reports (`discovery/take-reports.ts`), and what it wants of them it sends to their cells.
 */

/** In cell 0: a session of a peer of another cell began. */
export function dialsAfterReport(context: Context, cell: number, peer: ConnectedPeer): void {
  const { dials } = context.registry;
  const { peerId, publicKey, session, dial: ref } = peer;
  const dial = ref === null ? null : dials.get(ref.id);
  const led = dial?.publicKey === null || dial?.publicKey === publicKey ? dial : null;
  if (led !== null)
    applyDialEvent(context, led, { type: "connected", proved: { publicKey, peerId } });
  else if (ref !== null) {
    // The operator removed the address while the peer was admitted.
    const removed = { peerId, session, reason: ADDRESS_REMOVED, isLast: false };
    sendToCell(context, cell, { type: "address_removed", removed });
  }
  for (const other of dials.ofPeer(peerId))
    if (other.id !== led?.id) applyDialEvent(context, other, { type: "elsewhere" });
  startDials(context);
}

export const ADDRESS_REMOVED = "the operator removed this peer's address";

/** In cell 0: an address of a peer of another cell is removed. The session that it led to has ended when the command is answered. */
export function removeElsewhere(context: Context, { peerId, state }: Dial): void {
  const { registry } = context;
  if (peerId === null || registry.cells.isSingle) return;
  const remote = connectedElsewhere(registry, peerId);
  const cell = remote?.cell ?? homeOf(registry.cells.topology, peerId);
  if (cell === 0) return;
  const session = state === "connected" ? (remote?.session ?? null) : null;
  const isLast = registry.dials.ofPeer(peerId).length === 0;
  const message: CellMessage = {
    type: "address_removed",
    removed: { peerId, session, reason: ADDRESS_REMOVED, isLast },
  };
  if (session === null) sendToCell(context, cell, message);
  else sendAndAwait(context, cell, message);
}

/** In a peer's cell: an address of the peer is removed. */
export function addressRemoved(
  context: Context,
  { peerId, session, reason, isLast }: RemovedAddress,
): void {
  const { peers } = context.registry;
  const peer = peers.get(peerId);
  if (peer !== null && peer.epoch === session && isConnected(peer.state)) {
    endSession(context, peer, { code: "forgotten", detail: reason });
    disconnectPeer(context, peer, reason, false);
  }
  if (isLast && peer?.state === "discovered") peers.remove(peerId);
}

/** In a peer's cell: the operator has registered an address of the peer. */
export function addressAdded(
  context: Context,
  { key, name, address }: Extract<CellMessage, { type: "address_added" }>,
): void {
  listAsDiscovered(context, key, name, address);
}
