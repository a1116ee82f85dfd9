import { DAY, type Millis } from "../base/clock.ts";
import { ROUTE_HOPS_MAX, type RouteTool } from "../protocol/route.ts";
import { leastRttMs } from "./measure.ts";

/** The network path to the mesh as a peer reported it: a claim. */
export interface ReportedRoute {
  readonly hops: number;
  readonly tool: RouteTool;
  readonly at: Millis;
}

/** A session is direct. Of a peer that reports no route nothing else is known. */
export const DIRECT_HOPS = 1;

/** How much of a hop count is known: a peer's report, which can be false within its bounds; and none at all. */
export const REPORTED_KNOWN = 0.5;
export const ASSUMED_KNOWN = 0.1;

/** A report that is older says nothing: routes change, and peers move. Peers report daily. */
const ROUTE_AGE_MAX: Millis = 7 * DAY;

/** A router takes about 20 µs to forward a packet, at least, and a round trip passes it twice. */
const ROUTER_RTT_MS = 0.04;
/** The mesh measures round trips in whole milliseconds. */
const RTT_RESOLUTION_MS = 1;

export interface HopBounds {
  readonly least: number;
  readonly most: number;
}

/**
 * How many hops a path of this round trip (milliseconds; null when unknown) plausibly has.
 *
 * At least: one, and one more for each doubling of the round trip from 1 ms on: 2 at 1 ms, 4 at 10 ms, 7 at 100 ms. A path
 * that takes longer leaves the building, then the access network, the region, the backbone, the continent; each is a
 * network of its own, with a router at each end. Hops and round trips are correlated only weakly, so the bounds are wide: an
 * honest report is rarely changed, and a peer that claims one hop at 200 ms is taken to be 8 away.
 *
 * At most: as many routers as can forward a packet in that time.
 */
export function hopBounds(rttMs: number | null): HopBounds {
  if (rttMs === null || !Number.isFinite(rttMs)) return { least: 1, most: ROUTE_HOPS_MAX };
  const rtt = Math.max(0, rttMs);
  return {
    least: Math.min(ROUTE_HOPS_MAX, 1 + Math.floor(Math.log2(1 + rtt))),
    most: Math.min(ROUTE_HOPS_MAX, 1 + Math.floor((rtt + RTT_RESOLUTION_MS) / ROUTER_RTT_MS)),
  };
}

/**
 * The hops of a reported route, within what the round trip (milliseconds) and the distance (kilometers) allow; null when
 * there is no report, or only one that is too old.
 */
export function hopsOfRoute(
  route: ReportedRoute | null,
  rttMs: number | null,
  geoKm: number | null,
  now: Millis,
): number | null {
  if (route === null || now - route.at > ROUTE_AGE_MAX) return null;
  const overDistance = geoKm === null ? null : leastRttMs(geoKm);
  const { least, most } = hopBounds(rttMs ?? overDistance);
  return Math.max(least, Math.min(most, route.hops));
}
