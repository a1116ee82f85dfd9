import type { DialRef, ProvedKey } from "../../peers/dial.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import type { SessionFault } from "../../protocol/errors.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { AdmitInput } from "../../contract/admission.ts";
import { sendToCell } from "../cells/send-message.ts";
import { noteDial, noteReason } from "../discovery/report-peers.ts";
import type { Context } from "../kernel/context.ts";
import { addToOutbox } from "../kernel/marks.ts";
import { idlePastTurn, applyDialEvent, startDials } from "./dial-scheduler.ts";
import { announceDials, tellDials } from "./dialed-elsewhere.ts";

/** How events in the rest of the coordinator change registered addresses. */

/**
 * Why a session that the mesh dialed is refused, in addition to the checks of every session; null when it is accepted
 * or was not dialed.
 */
export function dialFault(
  context: Context,
  { dial: ref, publicKey }: AdmitInput,
  known: Peer | null,
): SessionFault | null {
  if (ref === undefined) return null;
  const { cells } = context.registry;
  const fault = cells.own === 0 ? addressFault(context, ref, publicKey) : null;
  if (fault !== null) return fault;
  // A session that the peer opened itself is not ended for one that the mesh dialed.
  if (known !== null && isConnected(known.state)) return CONNECTED_ALREADY;
  // With several cells, a place was made before (`before-dials.ts`).
  return cells.isSingle && isFull(context) && idlePastTurn(context).length === 0
    ? ALL_DIALED
    : null;
}

/** Why no session of this key is accepted at an address; null if one is. */
export function addressFault(
  { registry }: Context,
  ref: DialRef,
  publicKey: string,
): SessionFault | null {
  const dial = registry.dials.get(ref.id);
  if (dial === null) return { code: "not_allowed", detail: "the operator removed this address" };
  return dial.publicKey !== null && dial.publicKey !== publicKey
    ? { code: "identity_mismatch", detail: "another key is expected at this address" }
    : null;
}

export const CONNECTED_ALREADY: SessionFault = {
  code: "superseded",
  detail: "the peer is connected already",
};
export const ALL_DIALED: SessionFault = {
  code: "mesh_full",
  detail: "the limit of dialed peers is reached",
};

export const isFull = ({ registry, config }: Context): boolean =>
  registry.dials.taken().connected >= config.dialsMax;

/**
 * A peer connected: by one of its addresses, or by a session that it opened. Returns the peer that must give up its
 * place when the number of dialed sessions is at its limit: one whose session has lasted its turn.
 */
export function dialsAfterAdmission(context: Context, input: AdmitInput): Peer | null {
  const { registry } = context;
  if (registry.cells.own !== 0) return reportAdmission(context, input);
  const led = input.dial === undefined ? null : registry.dials.get(input.dial.id);
  const replaced =
    led !== null && registry.cells.isSingle && isFull(context)
      ? (idlePastTurn(context)[0] ?? null)
      : null;
  if (led !== null) {
    const proved = { publicKey: input.publicKey, peerId: input.peerId };
    applyDialEvent(context, led, { type: "connected", proved });
  }
  for (const dial of registry.dials.ofPeer(input.peerId))
    if (dial.id !== led?.id) applyDialEvent(context, dial, { type: "elsewhere" });
  startDials(context);
  return replaced;
}

/** Cell 0 learns which of its dials led to the session, or that the peer has opened it. */
function reportAdmission(context: Context, { peerId, dial }: AdmitInput): null {
  const peer = context.registry.peers.get(peerId);
  if (peer !== null && dial !== undefined) noteDial(context, peer, dial);
  addToOutbox(context, { kind: "publish", peerId });
  return null;
}

export const TURN_OVER =
  "other peers wait to be dialed; this peer is dialed again when its turn comes";

/** A peer disconnected: its addresses are dialed again after a pause. */
export function dialsAfterDisconnect(context: Context, peerId: PeerId, reason: string): void {
  if (context.registry.cells.own !== 0) return noteReason(context, peerId, reason);
  for (const dial of context.registry.dials.ofPeer(peerId))
    applyDialEvent(context, dial, { type: "gone", reason });
  startDials(context);
}

/** The admission rules changed: for one peer, or for every peer. */
export function dialsAfterAdmissionChange(context: Context, peerId?: PeerId): void {
  const { cells, dials } = context.registry;
  if (cells.own !== 0) {
    if (peerId !== undefined) tellDials(context, { type: "admission_changed", peerId });
    return;
  }
  for (const dial of peerId === undefined ? dials.barred() : dials.ofPeer(peerId))
    if (dial.state === "barred") applyDialEvent(context, dial, { type: "wanted" });
  startDials(context);
}

/** In cell 0: the admission rules of a peer of another cell changed, which is dialed although it may not be admitted. */
export function dialsAfterChangeElsewhere(context: Context, peerId: PeerId): void {
  for (const dial of context.registry.dials.ofPeer(peerId))
    applyDialEvent(context, dial, { type: "wanted" });
  startDials(context);
}

/** A peer rotated its key: its addresses expect the new key. */
export function dialsAfterRotation(context: Context, from: PeerId, to: ProvedKey): void {
  const { registry } = context;
  if (registry.cells.own !== 0) {
    sendToCell(context, 0, { type: "peer_rotated", from, to });
    return;
  }
  for (const dial of registry.dials.ofPeer(from)) registry.dials.put({ ...dial, ...to });
}

/** The operator forgot a peer: its addresses are removed, too. */
export function dialsAfterForgetting(context: Context, peerId: PeerId): void {
  const { cells, dials } = context.registry;
  if (cells.own !== 0) return tellDials(context, { type: "peer_forgotten", peerId });
  const removed = dials.ofPeer(peerId);
  for (const { id } of removed) dials.remove(id);
  if (removed.length > 0 && dials.count() === 0) announceDials(context);
  startDials(context);
}
