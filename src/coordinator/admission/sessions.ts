import { MINUTE } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import { isPhysical } from "../../scoring/measure.ts";
import type { Context } from "../kernel/context.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { noteRoute } from "../peers/evidence.ts";
import { applyPeerEvent } from "../peers/lifecycle.ts";
import { saveMeasured, savePeer } from "../peers/scored-peers.ts";

/**
 * Records that the peer answered a ping, or did not. Answers whether the peer is suspect: a flapping peer stays
 * suspect for a while although it answers.
 */
export const observe: Handler<"observe"> = (context, { peerId, epoch, seq, event, rtt }) => {
  const peer = peerOfSession(context, peerId, epoch);
  // An observation that a newer one has overtaken is ignored.
  if (peer === null || seq <= peer.seq) return ok({ suspect: peer?.state === "suspect" });
  const lastSeen = event === "answered" ? context.now : peer.lastSeen;
  const measured = rtt !== null && isPhysical(rtt.smoothedMs, peer.geoKm) ? rtt : peer.rtt;
  const seen = saveMeasured(context, { ...peer, seq, rtt: measured, lastSeen });
  applyPeerEvent(context, seen, event);
  // A better score may be what a queued task requires.
  if (seen.state === "active" && seen.score > peer.score) markWorkAvailable(context);
  return ok({ suspect: context.registry.peers.get(peerId)?.state === "suspect" });
};

/**
 * A peer's capabilities, kinds, slots or prefetching changed, or it measured its network path: queued tasks may go to it
 * now, and its published record is renewed.
 */
export const announce: Handler<"announce"> = (context, { peerId, epoch, announced }) => {
  const peer = peerOfSession(context, peerId, epoch);
  if (peer === null) return done;
  const { capabilities, kinds, slots, prefetch } = peer;
  if (announced.route !== undefined) noteRoute(context, peerId, announced.route);
  savePeer(context, {
    ...peer,
    capabilities: announced.capabilities ?? capabilities,
    kinds: announced.kinds ?? kinds,
    slots: announced.slots ?? slots,
    prefetch: announced.prefetch ?? prefetch,
  });
  // A record costs a write to the store: at most one a minute, however often a peer announces changes.
  context.registry.outbox.addNoLater({ kind: "publish", peerId }, context.now + MINUTE);
  markWorkAvailable(context);
  return done;
};

export const gone: Handler<"gone"> = (context, input) => {
  const peer = context.registry.peers.get(input.peerId);
  if (peer === null || !isConnected(peer.state)) return done;
  const current = "epoch" in input ? peer.epoch === input.epoch : peer.session === input.session;
  if (current) disconnectPeer(context, peer, input.reason, input.silent);
  return done;
};

/** The peer's session has ended: its tasks are released, its pointer is withdrawn, and other peers get its tasks. */
export function disconnectPeer(
  context: Context,
  peer: Peer,
  reason: string,
  silent: boolean,
): void {
  const mayReturn = true;
  applyPeerEvent(context, peer, "gone", { reason, silent, mayReturn });
}

/**
 * The peer, if this epoch is that of its newest session and the session is open; null when the message comes too late.
 */
export function peerOfSession({ registry }: Context, peerId: string, epoch: number): Peer | null {
  const peer = registry.peers.get(peerId);
  return peer !== null && peer.epoch === epoch && isConnected(peer.state) ? peer : null;
}
