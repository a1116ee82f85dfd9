import type { PeerAttributes } from "../../discovery/metadata.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import { authMode, type Context } from "../kernel/context.ts";
import { scoreOf } from "../peers/scored-peers.ts";
import { peerView } from "../peers/views.ts";

/** A connected peer of any cell, as far as its publication needs to know it. */
export interface Subject {
  readonly id: PeerId;
  /** The epoch of its session. */
  readonly session: number;
  readonly attributes: PeerAttributes;
  /** Whether its key is on the allowlist. */
  readonly isListed: () => boolean;
  readonly record: () => PeerRecord;
}

/** What is published of a peer: one of this cell, or one that another cell has reported. Null if it may not be published now. */
export function subjectOf(context: Context, peerId: PeerId): Subject | null {
  const { registry } = context;
  const peer = registry.peers.get(peerId);
  if (peer !== null && isConnected(peer.state)) return localSubject(context, peer);
  return registry.cells.isSingle ? null : remoteSubject(context, peerId);
}

const localSubject = (context: Context, peer: Peer): Subject => ({
  id: peer.id,
  session: peer.epoch,
  attributes: peer,
  isListed: () => context.registry.allowlist.lists(peer.id),
  record: () => recordOf(context, peer),
});

/** A report can be older than the auth mode and the deny entries of this cell: these count. */
function remoteSubject(context: Context, peerId: PeerId): Subject | null {
  const { registry } = context;
  const remote = registry.remotePeers.get(peerId);
  if (remote === null || remote.record === null || registry.denylist.has(peerId)) return null;
  const { session, listed, record } = remote;
  if (!listed && authMode(context) === "allowlist") return null;
  return {
    id: peerId,
    session,
    attributes: record,
    isListed: () => listed,
    record: () => record,
  };
}

export const recordOf = (context: Context, peer: Peer): PeerRecord => ({
  ...peerView(peer, scoreOf(context, peer)),
  capabilities: [...peer.capabilities],
  kinds: [...peer.kinds],
  region: peer.region,
});

/** How many peers are connected to the mesh, and how many of them are strangers. */
export function connectedPeers({ registry }: Pick<Context, "registry">) {
  const here = registry.roster.size;
  const strangersHere = here - registry.peers.connectedListed();
  if (registry.cells.isSingle) return { peers: here, strangers: strangersHere };
  const remote = registry.remotePeers.counts();
  return { peers: here + remote.peers, strangers: strangersHere + remote.strangers };
}
