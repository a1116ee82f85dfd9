import type { Millis } from "../../base/clock.ts";
import type { Peer } from "../../peers/peer.ts";
import type { ReportedRoute } from "../../scoring/hops.ts";
import { hintedRttMs } from "../../scoring/measure.ts";
import type { Observed } from "../../scoring/observed.ts";
import { outcomesKnown } from "../../scoring/outcomes.ts";
import type { Factor } from "../../scoring/score.ts";
import { expectedUptime } from "../../scoring/uptime.ts";

export interface SourceContext {
  readonly now: Millis;
  /** Whether the mesh's own location is configured. */
  readonly isPlaced: boolean;
  /** The reported path and its bounded hops, if it counts. */
  readonly route: ReportedRoute | null;
  readonly hops: number | null;
}

/** Where each factor of a peer's score comes from, in words. */
export const factorSources = (
  peer: Peer,
  observed: Observed,
  context: SourceContext,
): { readonly [F in Factor]: string } => ({
  latency: latencySource(peer),
  reliability: reliabilitySource(observed, context.now),
  hops: hopsSource(peer, context),
  distance: distanceSource(peer, observed, context.isPlaced),
});

function latencySource({ rtt, tcpRttMs, geoKm }: Peer): string {
  if (rtt !== null) {
    return rtt.samples === 1
      ? "the session's handshake, 1 sample"
      : `the session's handshake and pings, ${rtt.samples} samples`;
  }
  const hint = hintedRttMs(tcpRttMs, geoKm);
  return hint === null
    ? "not measured"
    : `not measured; choices assume ${round(hint)} ms from the connection's TCP RTT`;
}

function reliabilitySource({ outcomes, uptime }: Observed, now: Millis): string {
  const known = outcomesKnown(outcomes, now);
  const attempts =
    known === 0 ? "no outcome yet" : `outcomes of attempts, ${round(known)} after decay`;
  if (uptime === null) return attempts;
  return `${attempts}; connected ${Math.round(100 * expectedUptime(uptime))} % of the time`;
}

function hopsSource(peer: Peer, { route, hops }: SourceContext): string {
  if (route === null || hops === null)
    return peer.hops === null ? "not measured" : "not measured; a direct session";
  const bounded = route.hops === hops ? "" : ` (bounded from ${route.hops})`;
  return `${route.tool} reported by the peer, ${hops}${bounded}`;
}

function distanceSource({ geoKm }: Peer, { place }: Observed, isPlaced: boolean): string {
  if (geoKm !== null && place !== null) return `the peer's address, located by ${place.source}`;
  return isPlaced
    ? "unknown: the peer's address was not located"
    : "unknown: the mesh has no location (MESH_LATITUDE, MESH_LONGITUDE)";
}

const round = (value: number): number => Math.round(10 * value) / 10;
