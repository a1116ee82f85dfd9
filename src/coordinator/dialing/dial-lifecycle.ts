import type { ProvedKey } from "../../peers/dial.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import type { SessionFault } from "../../protocol/errors.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { AdmitInput } from "../../contract/admission.ts";
import type { Context } from "../kernel/context.ts";
import { idlePastTurn, applyDialEvent, startDials } from "./dial-scheduler.ts";

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
  const dial = context.registry.dials.get(ref.id);
  if (dial === null) return { code: "not_allowed", detail: "the operator removed this address" };
  if (dial.publicKey !== null && dial.publicKey !== publicKey)
    return { code: "identity_mismatch", detail: "another key is expected at this address" };
  // A session that the peer opened itself is not ended for one that the mesh dialed.
  if (known !== null && isConnected(known.state))
    return { code: "superseded", detail: "the peer is connected already" };
  return isFull(context) && idlePastTurn(context).length === 0
    ? { code: "mesh_full", detail: "the limit of dialed peers is reached" }
    : null;
}

const isFull = ({ registry, config }: Context): boolean =>
  registry.dials.taken().connected >= config.dialsMax;

/**
 * A peer connected: by one of its addresses, or by a session that it opened. Returns the peer that must give up its
 * place when the number of dialed sessions is at its limit: one whose session has lasted its turn.
 */
export function dialsAfterAdmission(context: Context, input: AdmitInput): Peer | null {
  const { registry } = context;
  const led = input.dial === undefined ? null : registry.dials.get(input.dial.id);
  const replaced = led !== null && isFull(context) ? (idlePastTurn(context)[0] ?? null) : null;
  if (led !== null) {
    const proved = { publicKey: input.publicKey, peerId: input.peerId };
    applyDialEvent(context, led, { type: "connected", proved });
  }
  for (const dial of registry.dials.ofPeer(input.peerId))
    if (dial.id !== led?.id) applyDialEvent(context, dial, { type: "elsewhere" });
  startDials(context);
  return replaced;
}

export const TURN_OVER =
  "other peers wait to be dialed; this peer is dialed again when its turn comes";

/** A peer disconnected: its addresses are dialed again after a pause. */
export function dialsAfterDisconnect(context: Context, peerId: PeerId, reason: string): void {
  for (const dial of context.registry.dials.ofPeer(peerId))
    applyDialEvent(context, dial, { type: "gone", reason });
  startDials(context);
}

/** The admission rules changed: for one peer, or for every peer. */
export function dialsAfterAdmissionChange(context: Context, peerId?: PeerId): void {
  const { dials } = context.registry;
  for (const dial of peerId === undefined ? dials.barred() : dials.ofPeer(peerId))
    if (dial.state === "barred") applyDialEvent(context, dial, { type: "wanted" });
  startDials(context);
}

/** A peer rotated its key: its addresses expect the new key. */
export function dialsAfterRotation({ registry }: Context, from: PeerId, to: ProvedKey): void {
  for (const dial of registry.dials.ofPeer(from)) registry.dials.put({ ...dial, ...to });
}

/** The operator forgot a peer: its addresses are removed, too. */
export function dialsAfterForgetting(context: Context, peerId: PeerId): void {
  for (const { id } of context.registry.dials.ofPeer(peerId)) context.registry.dials.remove(id);
  startDials(context);
}
