import type { Millis } from "../../base/clock.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import { cordoned, draining } from "../../peers/scheduling.ts";
import { DRAIN_LEAVE_TIME } from "../../protocol/drain-limits.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Context } from "../kernel/context.ts";
import type { Job } from "../kernel/job.ts";
import { markDrainsDue } from "../kernel/marks.ts";
import { releaseAbandoned } from "../tasks/leases.ts";
import { applyPeerEvent } from "./lifecycle.ts";
import { endSession, savePeer, sessionOf } from "./scored-peers.ts";

const TIME_OVER = { error: "the time of its peer's drain was over", stopPeer: true } as const;
const REASON = "the operator drains this peer";

/**
 * Begins the operator's drain of a peer. The peer is told and gives back what it has not begun; nobody else knows what that
 * is, so nothing is taken from it. A peer that is not connected has nothing to finish: it is cordoned.
 */
export function startDrain(context: Context, peer: Peer, timeoutMs: Millis): void {
  if (!isConnected(peer.state)) {
    savePeer(context, { ...peer, scheduling: cordoned(peer.scheduling) });
    return;
  }
  const scheduling = draining(peer.scheduling, context.now + timeoutMs);
  savePeer(context, { ...peer, scheduling });
  orderDrain(context, peer.id);
  markDrainsDue(context);
}

/** Tells a peer that is being drained how much time it has: at the beginning, and when it has reconnected. */
export function orderDrain({ registry, effects, now }: Context, id: PeerId): void {
  const peer = registry.peers.get(id);
  const to = peer === null ? null : sessionOf(peer);
  const drainUntil = peer?.scheduling.drainUntil ?? null;
  if (to === null || drainUntil === null) return;
  const timeoutMs = Math.max(0, drainUntil - now);
  effects.push({ type: "drain", to, order: { reason: REASON, timeoutMs } });
}

/**
 * Peers that hold no task any more leave by themselves, once the confirmation of their last results has reached them. Ends
 * the drain soon for those that do not know the order.
 */
export function endFinishedDrains(context: Context): void {
  const leaveBy = context.now + DRAIN_LEAVE_TIME;
  for (const peer of context.registry.peers.draining()) {
    const { drainUntil } = peer.scheduling;
    if (peer.held > 0 || !isConnected(peer.state) || (drainUntil ?? 0) <= leaveBy) continue;
    savePeer(context, { ...peer, scheduling: draining(peer.scheduling, leaveBy) });
  }
}

/** Ends the session of a peer whose drain is over. What remains is the cordon. */
function sayGoodbye(context: Context, peer: Peer): void {
  endSession(context, peer, { code: "drained", detail: REASON });
  applyPeerEvent(context, peer, "gone", { reason: REASON });
}

/** Ends drains whose time is over: what still runs is abandoned. */
export const endDrains: Job = {
  name: "end_drains",
  run(context) {
    const { peers, tasks } = context.registry;
    for (const { id, state, scheduling } of peers.draining()) {
      if (scheduling.drainUntil === null || scheduling.drainUntil > context.now) continue;
      for (const taskId of tasks.heldBy(id)) {
        const task = tasks.get(taskId);
        if (task !== null)
          releaseAbandoned(context, task, { ...TIME_OVER, begun: task.state === "running" });
      }
      const peer = peers.get(id);
      if (peer === null) continue;
      if (isConnected(state)) sayGoodbye(context, peer);
      else savePeer(context, { ...peer, scheduling: cordoned(peer.scheduling) });
    }
  },
  due: { reads: ["peers"], at: ({ registry }) => registry.peers.nextDrainEnd() },
};
