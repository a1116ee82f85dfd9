import type { Place } from "../base/place.ts";
import { greatCircleKm } from "../scoring/measure.ts";
import { REGIONS, type Region } from "../protocol/discovery.ts";

/** The approximate center of each region's population, in degrees. */
const REGION_CENTERS: { readonly [R in Region]: Place } = {
  wnam: { latitude: 40, longitude: -118 },
  enam: { latitude: 38, longitude: -82 },
  sam: { latitude: -18, longitude: -55 },
  weur: { latitude: 48, longitude: 4 },
  eeur: { latitude: 50, longitude: 28 },
  apac: { latitude: 20, longitude: 95 },
  oc: { latitude: -30, longitude: 148 },
  afr: { latitude: 2, longitude: 20 },
  me: { latitude: 27, longitude: 46 },
};

/** The region whose center is nearest. It is deliberately coarse, because it may become public. */
export function regionOf(place: Place | null): Region | null {
  if (place === null) return null;
  const distance = (region: Region): number => greatCircleKm(place, REGION_CENTERS[region]);
  return REGIONS.reduce((nearest, region) =>
    distance(region) < distance(nearest) ? region : nearest,
  );
}
