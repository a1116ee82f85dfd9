import type { Place } from "../base/place.ts";
import type { Region } from "../protocol/discovery.ts";
import type { MapView } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import { networkPlane } from "./network-plane.ts";
import type { Coordinate } from "./vivaldi.ts";

/** Where a connected peer is: on Earth, and in the network. */
export interface PeerPlace {
  readonly id: PeerId;
  readonly region: Region | null;
  readonly place: Place | null;
  /** Without the residuals: nothing is measured here. */
  readonly coordinate: Coordinate | null;
  /** Its smoothed round trip to the mesh. */
  readonly rttMs: number | null;
}

/** The peers on Earth by their addresses, and in the network by the round trips that they reported. */
export function mapOf(shown: readonly PeerPlace[]): MapView["peers"] {
  const points = pointsOf(shown);
  return shown.map(({ id, region, place }) => {
    const point = points.get(id);
    return {
      id,
      ...(region !== null && { region }),
      ...(place !== null && { location: roundedPlace(place) }),
      ...(point !== undefined && { network: { x_ms: tenth(point[0]), y_ms: tenth(point[1]) } }),
    };
  });
}

function pointsOf(shown: readonly PeerPlace[]): ReadonlyMap<string, readonly [number, number]> {
  const located = shown.flatMap(({ id, coordinate, rttMs }) =>
    coordinate === null ? [] : [{ id, coordinate, rttMs }],
  );
  const plane = networkPlane(located);
  return new Map(located.map(({ id }, at) => [id, plane[at] as readonly [number, number]]));
}

export const roundedPlace = ({ latitude, longitude }: Place) => ({
  latitude: tenth(latitude),
  longitude: tenth(longitude),
});

/** Locations by address are no more exact than this. */
const tenth = (value: number): number => Math.round(10 * value) / 10 + 0;
