import { ok } from "../../base/result.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import { cordoned, uncordoned } from "../../peers/scheduling.ts";
import type { Input } from "../../contract/commands.ts";
import { PEERS_SCHEDULED_MAX } from "../../protocol/drain-limits.ts";
import type { PeerSelection, PeerView } from "../../protocol/http.ts";
import { PeerId } from "../../protocol/ids.ts";
import { handlesKind } from "../../protocol/messages.ts";
import { meets } from "../../tasks/capabilities.ts";
import { peerOfSession } from "../admission/sessions.ts";
import type { Context } from "../kernel/context.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";
import { badCursor } from "../kernel/paging.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { startDrain } from "./drains.ts";
import { peerOf, savePeer } from "./scored-peers.ts";
import { shownPeer } from "./shown-peer.ts";

type Scheduled = Pick<Input<"schedule_peer">, "action"> & Partial<{ readonly timeoutMs: number }>;

/** The peer has said that it drains: it gets nothing more in this session. */
export const peerDrains: Handler<"peer_drains"> = (context, { peerId, epoch }) => {
  const peer = peerOfSession(context, peerId, epoch);
  if (peer !== null)
    savePeer(context, { ...peer, scheduling: { ...peer.scheduling, leaving: true } });
  return done;
};

/** Cordons, uncordons or drains one peer. */
export const schedulePeer: Handler<"schedule_peer"> = (context, input) => {
  const peer = peerOf(context, input.id);
  if (peer === null) return notFound("peer with this ID that has a record");
  if (isChange(peer, input)) apply(context, peer, input);
  return ok(viewOf(context, peer.id));
};

/** The same for every peer that meets the conditions, so many in one call. */
export const schedulePeers: Handler<"schedule_peers"> = (context, input) => {
  const { peers } = context.registry;
  const { state, role } = input.select;
  if (input.cursor !== undefined && !PeerId.safeParse(input.cursor).success) return badCursor();
  const concerned: PeerView[] = [];
  let after = input.cursor;
  for (;;) {
    const page = peers.list({ state, role, after, limit: PEERS_SCHEDULED_MAX });
    for (const peer of page) {
      if (concerned.length === PEERS_SCHEDULED_MAX)
        return ok({ peers: concerned, next_cursor: after ?? null });
      after = peer.id;
      if (!isSelected(peer, input.select) || !isChange(peer, input)) continue;
      if (!input.dryRun) apply(context, peer, input);
      concerned.push(viewOf(context, peer.id));
    }
    if (page.length < PEERS_SCHEDULED_MAX) return ok({ peers: concerned, next_cursor: null });
  }
};

function isSelected(peer: Peer, { ids, capabilities, kind, name }: PeerSelection): boolean {
  if (ids !== undefined && !ids.includes(peer.id)) return false;
  if (name !== undefined && name !== peer.name) return false;
  if (kind !== undefined && !handlesKind(peer.kinds, kind)) return false;
  return capabilities?.every((wanted) => meets(peer.capabilities, wanted)) ?? true;
}

/** Whether the action changes anything. A drain of a peer that is not connected is a cordon. */
function isChange({ state, scheduling }: Peer, { action }: Scheduled): boolean {
  const { operator } = scheduling;
  switch (action) {
    case "cordon":
      return operator !== "cordoned";
    case "uncordon":
      return operator !== "open";
    case "drain":
      return operator !== "draining" && (isConnected(state) || operator !== "cordoned");
    default:
      return action satisfies never;
  }
}

function apply(context: Context, peer: Peer, { action, timeoutMs = 0 }: Scheduled): void {
  switch (action) {
    case "cordon":
      savePeer(context, { ...peer, scheduling: cordoned(peer.scheduling) });
      break;
    case "uncordon":
      savePeer(context, { ...peer, scheduling: uncordoned(peer.scheduling) });
      markWorkAvailable(context);
      break;
    case "drain":
      startDrain(context, peer, timeoutMs);
      break;
    default:
      action satisfies never;
  }
}

function viewOf(context: Context, id: string): PeerView {
  const peer = context.registry.peers.get(id) as Peer;
  return shownPeer(context, peer);
}
