import { ok } from "../../base/result.ts";
import { NEW_CIRCUIT } from "../../tasks/circuit.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { peerOf } from "./scored-peers.ts";
import { shownPeer } from "./shown-peer.ts";

/** Closes every circuit of a peer, because the operator knows that it works again. It gets tasks at once. */
export const resetCircuits: Handler<"reset_circuits"> = (context, { id }) => {
  const peer = peerOf(context, id);
  if (peer === null) return notFound("peer with this ID");
  const { circuits } = context.registry;
  for (const { kind } of circuits.ofPeer(peer.id))
    circuits.put(peer.id, kind, NEW_CIRCUIT, context.now);
  markWorkAvailable(context);
  return ok(shownPeer(context, peer));
};
