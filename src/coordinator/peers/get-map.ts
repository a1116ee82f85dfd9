import { ok } from "../../base/result.ts";
import { MAP_PEERS_MAX } from "../../protocol/http.ts";
import { mapOf, roundedPlace } from "../../scoring/peer-map.ts";
import type { Handler } from "../kernel/handler.ts";

/** Where the connected peers are. Asked for places, it leaves the map to the route, which has those of other cells as well. */
export const getMap: Handler<"get_map"> = ({ registry, config }, { places }) => {
  const limit = places ?? MAP_PEERS_MAX;
  const found = registry.connectedPlaces(limit + 1);
  const shown = found.slice(0, limit);
  return ok({
    mesh: { ...(config.place !== null && { location: roundedPlace(config.place) }) },
    peers: places === undefined ? mapOf(shown) : [],
    truncated: found.length > shown.length,
    ...(places !== undefined && { places: shown }),
  });
};
