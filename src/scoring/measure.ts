import type { Place } from "../base/place.ts";

/** Mean Earth radius in kilometers (IUGG). */
const EARTH_RADIUS_KM = 6_371.0088;

/** Great-circle distance in kilometers, by the haversine formula. */
export function greatCircleKm(a: Place, b: Place): number {
  const radians = Math.PI / 180;
  const dLat = (b.latitude - a.latitude) * radians;
  const dLon = (b.longitude - a.longitude) * radians;
  const h =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(a.latitude * radians) * Math.cos(b.latitude * radians) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Kilometers that light in fiber covers as a round trip in a millisecond (2/3 of its speed in vacuum). */
const KM_PER_RTT_MS = 100;

/** The least possible RTT in milliseconds over a distance in kilometers. */
export const leastRttMs = (km: number): number => km / KM_PER_RTT_MS;

/**
 * Whether an RTT in milliseconds is possible over a distance in kilometers. An RTT that is faster than light is a lie
 * or a wrong location, and would be the best of all, so it is refused.
 */
export const isPhysical = (rttMs: number, km: number | null): boolean =>
  rttMs >= 0 && (km === null || rttMs >= leastRttMs(km));

/**
 * An estimate of a round trip in milliseconds before any ping: the connection's own RTT, which ends at the platform's
 * edge, but at least the time that light needs to the mesh.
 */
export const hintedRttMs = (tcpRttMs: number | null, km: number | null): number | null =>
  tcpRttMs === null ? null : Math.max(tcpRttMs, leastRttMs(km ?? 0));
