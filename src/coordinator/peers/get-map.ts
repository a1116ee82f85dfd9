import type { Place } from "../../base/place.ts";
import { ok } from "../../base/result.ts";
import { MAP_PEERS_MAX } from "../../protocol/http.ts";
import type { PeerPlace } from "../../registry/peer-places.ts";
import { networkPlane } from "../../scoring/network-plane.ts";
import type { Handler } from "../kernel/handler.ts";

/** Where the connected peers are: on Earth by their addresses, and in the network by the round trips that they reported. */
export const getMap: Handler<"get_map"> = ({ registry, config }) => {
  const found = registry.connectedPlaces(MAP_PEERS_MAX + 1);
  const shown = found.slice(0, MAP_PEERS_MAX);
  const points = pointsOf(shown);
  return ok({
    mesh: { ...(config.place !== null && { location: rounded(config.place) }) },
    peers: shown.map(({ id, region, place }) => {
      const point = points.get(id);
      return {
        id,
        ...(region !== null && { region }),
        ...(place !== null && { location: rounded(place) }),
        ...(point !== undefined && { network: { x_ms: tenth(point[0]), y_ms: tenth(point[1]) } }),
      };
    }),
    truncated: found.length > shown.length,
  });
};

function pointsOf(shown: readonly PeerPlace[]): ReadonlyMap<string, readonly [number, number]> {
  const located = shown.flatMap(({ id, coordinate, rttMs }) =>
    coordinate === null ? [] : [{ id, coordinate, rttMs }],
  );
  const plane = networkPlane(located);
  return new Map(located.map(({ id }, at) => [id, plane[at] as readonly [number, number]]));
}

const rounded = ({ latitude, longitude }: Place) => ({
  latitude: tenth(latitude),
  longitude: tenth(longitude),
});

/** Locations by address are no more exact than this. */
const tenth = (value: number): number => Math.round(10 * value) / 10 + 0;
