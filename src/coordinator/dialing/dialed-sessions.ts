import { ok } from "../../base/result.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Handler } from "../kernel/handler.ts";
import { applyPeerEvent } from "../peers/lifecycle.ts";
import { endSession } from "../peers/scored-peers.ts";
import { addressFault, isFull, TURN_OVER } from "./dial-lifecycle.ts";
import { idlePastTurn } from "./dial-scheduler.ts";
import { pastTurnElsewhere } from "./dialed-elsewhere.ts";

/** What the cells of dialed peers and cell 0 ask each other. */

export const checkDial: Handler<"check_dial"> = (context, { dial, publicKey }) => {
  const fault = addressFault(context, dial, publicKey);
  if (fault !== null || !isFull(context)) return ok({ fault, replaceable: null });
  const here = idlePastTurn(context).map(({ id, epoch }) => ({
    cell: 0,
    peerId: id,
    session: epoch,
  }));
  const elsewhere = pastTurnElsewhere(context).map(({ cell, peerId, session }) => ({
    cell,
    peerId,
    session,
  }));
  return ok({ fault, replaceable: [...here, ...elsewhere] });
};

export const endTurn: Handler<"end_turn"> = (context, { peerId, session }) => {
  const peer = context.registry.peers.get(peerId);
  if (peer === null || peer.epoch !== session || !isConnected(peer.state) || peer.held > 0)
    return ok({ ended: false });
  endSession(context, peer, { code: "mesh_full", detail: TURN_OVER });
  applyPeerEvent(context, peer, "gone", { reason: TURN_OVER, displaced: true });
  return ok({ ended: true });
};

export const isDenied: Handler<"is_denied"> = ({ registry }, { peerId }) =>
  ok({ denied: registry.denylist.has(peerId) });
