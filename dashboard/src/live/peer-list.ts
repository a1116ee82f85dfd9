/** The list of all peers: read in pages, and kept up to date by events. */
import type { PeerView } from "../../../src/protocol/http.ts";
import type { PeerPage } from "../api/answers.ts";
import { ApiError } from "../api/api-error.ts";
import type { MeshApi } from "../api/mesh-api.ts";
import { withPeerEvents, type Peers } from "../model/peer-changes.ts";
import type { FeedEvent } from "./event-feed.ts";
import type { Told } from "./live-value.ts";

/** The largest page of the API. */
const PAGE_MAX = 500;
/** How many peers are read one by one after events; for more the list is read. */
const READ_SINGLY_MAX = 5;

export const isOfPeer = ({ type }: FeedEvent): boolean =>
  type.startsWith("peer.") || type.startsWith("circuit.");

export async function allPeers(api: MeshApi, signal: AbortSignal): Promise<Peers> {
  const peers = new Map<string, PeerView>();
  let cursor: string | undefined;
  do {
    const query = { limit: PAGE_MAX, cursor };
    const page: PeerPage = await api.get("/v1/peers", query, signal);
    for (const peer of page.peers) peers.set(peer.id, peer);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return peers;
}

/** On a large mesh the list takes long: what events say of peers is shown without it, and a few new peers are read singly. */
export const patchPeers =
  (api: MeshApi): Told<Peers>["patch"] =>
  async (before, events, signal) => {
    const texts = events.map(({ text }) => text);
    const { peers, unread } = withPeerEvents(before, texts);
    if (unread.length > READ_SINGLY_MAX) return { value: peers, isWhole: false };
    const read = await Promise.all(unread.map((id) => peerOrNull(api, id, signal)));
    const patched = new Map(peers);
    for (const [at, id] of unread.entries()) {
      const peer = read[at] ?? null;
      if (peer === null) patched.delete(id);
      else patched.set(id, peer);
    }
    return { value: patched, isWhole: true };
  };

/** Null: the mesh has no record of it any more. */
async function peerOrNull(api: MeshApi, id: string, signal: AbortSignal): Promise<PeerView | null> {
  try {
    return await api.get(`/v1/peers/${id}`, {}, signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
