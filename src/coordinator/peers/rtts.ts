import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { RTT_PAIRS_PER_PEER_MAX, RTT_REPORT_INTERVAL } from "../../protocol/constants.ts";
import { isPhysical, pairRtt } from "../../scoring/pair-rtt.ts";
import { median, observed, ORIGIN, withSample, type Coordinate } from "../../scoring/vivaldi.ts";
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
  for (const { to, rttMs } of rtts) {
    const other = peerOf(context, to);
    if (other === null || other.id === peerId) continue;
    if (!isPhysical(rttMs, peer.geoKm, other.geoKm)) continue;
    const samples = withSample(registry.pairRtts.get(peerId, other.id)?.samples ?? [], rttMs);
    registry.pairRtts.put(peerId, other.id, { samples, at: now });
    const place = registry.coordinates.get(other.id) ?? ORIGIN;
    own = observed(own ?? ORIGIN, place, median(samples), random);
  }
  if (own === null || own === before) return done;
  registry.coordinates.put(peerId, own, now);
  registry.pairRtts.trim(peerId, RTT_PAIRS_PER_PEER_MAX);
  return done;
};

export const getRtt: Handler<"get_rtt"> = (context, { id, other }) => {
  const { registry, now } = context;
  const [a, b] = [peerOf(context, id), peerOf(context, other)];
  if (a === null || b === null) return notFound("peer with this ID");
  const {
    rttMs,
    errorMs,
    basis,
    observed: seen,
  } = pairRtt(
    [registry.coordinates.get(a.id), registry.coordinates.get(b.id)],
    [registry.pairRtts.get(a.id, b.id), registry.pairRtts.get(b.id, a.id)],
    now,
  );
  return ok({
    peer_id: a.id,
    other_id: b.id,
    rtt_ms: rttMs,
    error_ms: errorMs,
    basis,
    observed: seen !== null,
    observed_ms: seen?.rttMs ?? null,
    observed_at: seen === null ? null : toRfc3339(seen.at),
  });
};
