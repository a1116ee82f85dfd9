import type { Place } from "../base/place.ts";

/** Mean Earth radius in kilometres (IUGG). */
const EARTH_RADIUS_KM = 6_371.0088;

/** Great-circle distance in kilometres, by the haversine formula. */
export function greatCircleKm(a: Place, b: Place): number {
  const radians = Math.PI / 180;
  const dLat = (b.latitude - a.latitude) * radians;
  const dLon = (b.longitude - a.longitude) * radians;
  const h =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(a.latitude * radians) * Math.cos(b.latitude * radians) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Light in fibre covers this many kilometres there and back in a millisecond (2/3 of its speed in vacuum). */
const KM_PER_RTT_MS = 100;

/** The least RTT in milliseconds over a distance in kilometres. */
export const leastRttMs = (km: number): number => km / KM_PER_RTT_MS;

/**
 * Whether an RTT in milliseconds can be true of a distance in kilometres. One that is faster than light is a lie or a
 * wrong place, and would be the best of all: it is not taken.
 */
export const isPhysical = (rttMs: number, km: number | null): boolean =>
  rttMs >= 0 && (km === null || rttMs >= leastRttMs(km));

/**
 * A first hint at a round trip in milliseconds that no ping has measured yet: the connection's own, which ends at the
 * platform's edge; no less than light takes to the mesh itself.
 */
export const hintedRttMs = (tcpRttMs: number | null, km: number | null): number | null =>
  tcpRttMs === null ? null : Math.max(tcpRttMs, leastRttMs(km ?? 0));
