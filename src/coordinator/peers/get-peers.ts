import { cursorOf, placeOfCursor } from "../../protocol/list-cursor.ts";
import { err, ok } from "../../base/result.ts";
import type { PeerView } from "../../protocol/http.ts";
import type { PeerFilter } from "../../registry/peers.ts";
import { PeerId } from "../../protocol/ids.ts";
import type { Context } from "../kernel/context.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { badCursor, placedPage } from "../kernel/paging.ts";
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

/** Those that have records and those that were only advertised, by ID; at least `limit` if there are as many. */
function peersAfter(context: Context, filter: PeerFilter): readonly PeerView[] {
  const { registry } = context;
  const { state } = filter;
  const met = registry.peers.list(filter).map((peer) => shownPeer(context, peer));
  const told =
    state === undefined || state === "discovered"
      ? registry.advertisedPeers.list(filter).map(advertisedPeerView)
      : [];
  return [...met, ...told].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

export const listPeers: Handler<"list_peers"> = (
  context,
  { limit, cursor, after, state, role },
) => {
  if (after !== undefined) {
    const found = peersAfter(context, { limit: limit + 1, after: after.id, state, role });
    const { items, paging } = placedPage({ limit, begins: after }, found, {
      place: ({ id }) => ({ at: 0, id }),
      view: (peer) => peer,
    });
    return ok({ peers: items, ...paging });
  }
  const place = cursor === undefined ? undefined : placeOfCursor("peers", cursor);
  if (place !== undefined && !PeerId.safeParse(place).success) return badCursor();
  const peers = peersAfter(context, { limit: limit + 1, after: place ?? undefined, state, role });
  const page = peers.slice(0, limit);
  return ok({
    peers: page,
    next_cursor: peers.length > limit ? cursorOf("peers", page.at(-1)?.id ?? "") : null,
  });
};
