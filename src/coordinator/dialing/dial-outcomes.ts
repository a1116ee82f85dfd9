import type { ProvedKey } from "../../peers/dial.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import type { SessionFault } from "../../protocol/errors.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { AdmitInput } from "../../contract/admission.ts";
import type { Context } from "../kernel/context.ts";
import { hadTheirTurn, moveDial, startDials } from "./scheduler.ts";

/** What the registered addresses hear from the rest of the coordinator. */

/** Why a session that the mesh dialled is not taken, besides all that holds for any; null when it is, or was not dialled. */
export function dialFault(
  context: Context,
  { dial: ref, publicKey }: AdmitInput,
  known: Peer | null,
): SessionFault | null {
  if (ref === undefined) return null;
  const dial = context.registry.dials.get(ref.id);
  if (dial === null)
    return { code: "not_allowed", detail: "the operator has taken this address off the list" };
  if (dial.publicKey !== null && dial.publicKey !== publicKey)
    return { code: "identity_mismatch", detail: "another key is expected at this address" };
  // A session that the peer itself opened is not cut off for one that it did not ask for.
  if (known !== null && isConnected(known.state))
    return { code: "superseded", detail: "the peer is connected already" };
  return isFull(context) && hadTheirTurn(context).length === 0
    ? { code: "mesh_full", detail: "as many peers are dialled as may be" }
    : null;
}

const isFull = ({ registry, config }: Context): boolean =>
  registry.dials.taken().connected >= config.dialsMax;

/**
 * A peer is here: by one of its addresses, or by a session of its own. Returns the peer whose place it takes: one whose
 * turn is over, when as many are dialled as may be.
 */
export function dialsAfterAdmission(context: Context, input: AdmitInput): Peer | null {
  const { registry } = context;
  const led = input.dial === undefined ? null : registry.dials.get(input.dial.id);
  const replaced = led !== null && isFull(context) ? (hadTheirTurn(context)[0] ?? null) : null;
  if (led !== null) {
    const proved = { publicKey: input.publicKey, peerId: input.peerId };
    moveDial(context, led, { type: "connected", proved });
  }
  for (const dial of registry.dials.ofPeer(input.peerId))
    if (dial.id !== led?.id) moveDial(context, dial, { type: "elsewhere" });
  startDials(context);
  return replaced;
}

export const TURN_OVER =
  "other peers wait to be dialled; this one is dialled again when its turn comes";

/** A peer is away: its addresses are dialled again, after a pause. */
export function dialsAfterLeave(context: Context, peerId: PeerId, reason: string): void {
  for (const dial of context.registry.dials.ofPeer(peerId))
    moveDial(context, dial, { type: "gone", reason });
  startDials(context);
}

/** Who may come in has changed: for one peer, or for all. */
export function dialsAfterRuling(context: Context, peerId?: PeerId): void {
  const { dials } = context.registry;
  for (const dial of peerId === undefined ? dials.barred() : dials.ofPeer(peerId))
    if (dial.state === "barred") moveDial(context, dial, { type: "wanted" });
  startDials(context);
}

/** A peer has another key now, which is the one to expect. */
export function dialsAfterRotation({ registry }: Context, from: PeerId, to: ProvedKey): void {
  for (const dial of registry.dials.ofPeer(from)) registry.dials.put({ ...dial, ...to });
}

/** The operator forgets a peer: where to find it, too. */
export function dialsAfterForgetting(context: Context, peerId: PeerId): void {
  for (const { id } of context.registry.dials.ofPeer(peerId)) context.registry.dials.remove(id);
  startDials(context);
}
