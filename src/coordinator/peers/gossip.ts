import { ok } from "../../base/result.ts";
import type { Peer } from "../../peers/peer.ts";
import { ADVERTISED_PER_PEER_MAX, ADVERTISED_REFRESH } from "../../protocol/constants.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { sampleFor } from "../discovery/sample-pointers.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { budgetsOf } from "../storage/budgets.ts";
import { hasRoomForStrangers } from "../storage/room.ts";
import { peerOfSession } from "../admission/sessions.ts";

/** Hops of an advertiser with a direct session, if nothing else was measured. */
const ADVERTISER_HOPS = 1;

/**
 * A connected peer advertises other peers. Adverts are stored apart from proved records, bounded for each advertiser
 * and in all, and make no peer eligible for anything. The answer names pointers of a few other peers.
 */
export const hearAdvert: Handler<"hear_advert"> = (context, { peerId, epoch, peers }) => {
  const { registry, now } = context;
  const advertiser = peerOfSession(context, peerId, epoch);
  if (advertiser === null) return ok({ pointers: [] });
  const before = new Map(
    registry.advertisedPeers.by(peerId).map((advert) => [advert.peerId, advert]),
  );
  const hasRoom = hasRoomForStrangers(context);
  let isMore = false;
  for (const advert of new Map(peers.map((each) => [each.peerId, each])).values()) {
    const known = before.get(advert.peerId);
    if (known !== undefined && now - known.heardAt < ADVERTISED_REFRESH) continue;
    if (!hasRoom || !acceptsAdvertOf(context, advertiser, advert.peerId)) continue;
    isMore ||= known === undefined;
    const hops = (advertiser.hops ?? ADVERTISER_HOPS) + 1;
    const advertisedAt = known?.advertisedAt ?? now;
    registry.advertisedPeers.put({
      ...advert,
      advertiser: peerId,
      hops,
      advertisedAt,
      heardAt: now,
    });
  }
  if (isMore) {
    registry.advertisedPeers.keepNewestOf(peerId, ADVERTISED_PER_PEER_MAX);
    registry.advertisedPeers.keepNewest(budgetsOf(context.config.storage.limit).advertRows);
  }
  return ok({ pointers: sampleFor(context, peerId) });
};

/**
 * Whether an advert is accepted. Adverts of the advertiser itself, of the mesh, of a peer that has a record, and of a
 * key that is barred or was removed are ignored.
 */
const acceptsAdvertOf = ({ registry, config }: Context, advertiser: Peer, id: PeerId): boolean =>
  id !== advertiser.id &&
  !config.meshIds.includes(id) &&
  registry.peers.get(id) === null &&
  !registry.denylist.has(id) &&
  registry.tombstones.get(id) === null;
