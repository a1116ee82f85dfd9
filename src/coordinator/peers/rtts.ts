import { ok } from "../../base/result.ts";
import { homeOf } from "../../cells/topology.ts";
import { RTT_PAIRS_PER_PEER_MAX, RTT_REPORT_INTERVAL } from "../../protocol/constants.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { isPhysical } from "../../scoring/pair-rtt.ts";
import { pairRttView } from "../../scoring/pair-rtt-view.ts";
import { median, observed, ORIGIN, withSample, type Coordinate } from "../../scoring/vivaldi.ts";
import type { Context } from "../kernel/context.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";
import { peerOf } from "./scored-peers.ts";
import { peerOfSession } from "../admission/sessions.ts";

/**
 * Records round trips that a peer measured to other peers. They move only that peer's coordinates, whatever it claims.
 * Reports within 10 s of the last one, pairs with itself or with unknown peers, and times shorter than light needs are
 * ignored.
 */
export const reportRtts: Handler<"report_rtts"> = (context, { peerId, epoch, rtts }) => {
  const { registry, now, random } = context;
  const peer = peerOfSession(context, peerId, epoch);
  const before = registry.coordinates.get(peerId);
  if (peer === null || (before !== null && now - before.updatedAt < RTT_REPORT_INTERVAL))
    return done;
  let own: Coordinate | null = before;
  let isRecorded = false;
  const record = (id: PeerId, rttMs: number): readonly number[] => {
    const samples = withSample(registry.pairRtts.get(peerId, id)?.samples ?? [], rttMs);
    registry.pairRtts.put(peerId, id, { samples, at: now });
    isRecorded = true;
    return samples;
  };
  for (const { to, rttMs } of rtts) {
    const other = peerOf(context, to);
    if (other?.id === peerId) continue;
    if (other === null) {
      // Its coordinates say when the peer reported last.
      if (own !== null && isElsewhere(context, to)) record(to, rttMs);
      continue;
    }
    if (!isPhysical(rttMs, peer.geoKm, other.geoKm)) continue;
    const samples = record(other.id, rttMs);
    const place = registry.coordinates.get(other.id) ?? ORIGIN;
    own = observed(own ?? ORIGIN, place, median(samples), random);
  }
  if (own === null || !isRecorded) return done;
  registry.coordinates.put(peerId, own, now);
  registry.pairRtts.trim(peerId, RTT_PAIRS_PER_PEER_MAX);
  return done;
};

/** Whether another cell would know the peer. Where that peer is this cell does not know, so the round trip moves no coordinates. */
const isElsewhere = ({ registry: { cells } }: Context, id: PeerId): boolean =>
  !cells.isSingle && homeOf(cells.topology, id) !== cells.own;

export const getRtt: Handler<"get_rtt"> = (context, { id, other, half = false }) => {
  const { registry, now } = context;
  if (half) return halfOf(context, id, other);
  const [a, b] = [peerOf(context, id), peerOf(context, other)];
  if (a === null || b === null) return notFound("peer with this ID");
  return ok(
    pairRttView(
      [a.id, b.id],
      [registry.coordinates.get(a.id), registry.coordinates.get(b.id)],
      [registry.pairRtts.get(a.id, b.id), registry.pairRtts.get(b.id, a.id)],
      now,
    ),
  );
};

/** What a peer has reported, for a route that asks the cell of the other peer as well. */
function halfOf(context: Context, id: PeerId, other: PeerId): ReturnType<Handler<"get_rtt">> {
  const { registry, now } = context;
  const peer = peerOf(context, id);
  if (peer === null) return notFound("peer with this ID");
  const half = {
    coordinate: registry.coordinates.get(peer.id),
    observed: registry.pairRtts.get(peer.id, other),
  };
  return ok({
    ...pairRttView([peer.id, other], [half.coordinate, null], [half.observed], now),
    half,
  });
}
