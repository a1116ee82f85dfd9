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

/**
 * Whether an RTT in milliseconds can be true of a distance in kilometres. One that is faster than light is a lie or a
 * wrong place, and would be the best of all: it is not taken.
 */
export const isPhysical = (rttMs: number, km: number | null): boolean =>
  rttMs >= 0 && (km === null || rttMs * KM_PER_RTT_MS >= km);
