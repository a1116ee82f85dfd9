import { err, ok } from "../../base/result.ts";
import { PeerId } from "../../protocol/ids.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { badCursor } from "../kernel/paging.ts";
import { peerOf, sessionOf } from "./scored-peers.ts";
import { shownPeer } from "./shown-peer.ts";
import { advertisedPeerView } from "./views.ts";

export const getPeer: Handler<"get_peer"> = (context, { id }) => {
  const peer = peerOf(context, id);
  if (peer !== null) return ok(shownPeer(context, peer));
  const told = context.registry.advertisedPeers.of(id);
  return told === null ? notFound("peer with this ID") : ok(advertisedPeerView(told));
};

export const requestPeer: Handler<"request_peer"> = (context, { id }) => {
  const peer = peerOf(context, id);
  if (peer === null) return notFound("peer with this ID");
  const to = sessionOf(peer);
  return to === null
    ? err({ code: "peer_unavailable", detail: "the peer is not connected" })
    : ok(to);
};

export const listPeers: Handler<"list_peers"> = (context, { limit, cursor, state, role }) => {
  const { registry } = context;
  if (cursor !== undefined && !PeerId.safeParse(cursor).success) return badCursor();
  const filter = { limit: limit + 1, after: cursor, role };
  const met = registry.peers.list({ ...filter, state }).map((peer) => shownPeer(context, peer));
  const told =
    state === undefined || state === "discovered"
      ? registry.advertisedPeers.list(filter).map(advertisedPeerView)
      : [];
  const peers = [...met, ...told].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const page = peers.slice(0, limit);
  return ok({
    peers: page,
    next_cursor: peers.length > limit ? (page.at(-1)?.id ?? null) : null,
  });
};
