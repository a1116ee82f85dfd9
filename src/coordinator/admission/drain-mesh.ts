import { SECOND, type Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { Peer } from "../../peers/peer.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { applyPeerEvent } from "../peers/lifecycle.ts";
import { endSession } from "../peers/scored-peers.ts";

/** Sessions that one command ends: each costs some row writes and a call to its object. */
const SESSIONS_ENDED_AT_ONCE = 250;

/** How long a peer may take to return beyond its position: a handshake, and the jitter of its reconnect. */
const RETURN_GRACE: Millis = 30 * SECOND;

/**
 * Ends the sessions that began before a time, because the mesh restarts. Each peer is told when to come back; until then it
 * keeps the tasks that it has begun, under leases that last until it can have returned.
 */
export const drainMesh: Handler<"drain_mesh"> = (context, { before, pauseMs }) => {
  const { registry } = context;
  const open = registry.peers
    .connected()
    .filter(({ id }) => (registry.observed.get(id)?.connectedAt ?? 0) < before);
  const ended = open.slice(0, SESSIONS_ENDED_AT_ONCE);
  const returnsBy = latestReturn(context, pauseMs);
  for (const peer of ended) dismiss(context, peer, pauseMs, returnsBy);
  return ok({ ended: ended.length, remaining: open.length - ended.length });
};

function dismiss(context: Context, peer: Peer, pauseMs: Millis, returnsBy: Millis): void {
  const detail = "the mesh is restarting";
  endSession(context, peer, { code: "mesh_restarting", detail, retryAfter: pauseMs / SECOND });
  // A plain go-p2p node can't take up a task again: what it does is a request of the session.
  const keeps = peer.speaksMuster ? { returnsBy } : {};
  applyPeerEvent(context, peer, "gone", {
    reason: detail,
    mayReturn: true,
    expectedAt: context.now + pauseMs,
    ...keeps,
  });
}

/** When the last peer can have returned that keeps to its position. */
const latestReturn = ({ config, now }: Context, pauseMs: Millis): Millis =>
  now + pauseMs + config.reconnectSpread + RETURN_GRACE;
