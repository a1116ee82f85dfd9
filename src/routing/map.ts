import { ok } from "../base/result.ts";
import { liveCells } from "../cells/topology.ts";
import { RPC_TIMEOUT } from "../protocol/constants.ts";
import { MAP_PEERS_MAX } from "../protocol/http.ts";
import { mapOf } from "../scoring/peer-map.ts";
import { askEveryCell, missingCells } from "./every-cell.ts";
import type { Route } from "./network.ts";
import { compareText, distinct } from "./sums.ts";

/** One map of the places of all cells: the plane of the network depends on all coordinates that it shows. */
export const toMap: Route<"get_map"> = async (network) => {
  const places = placesOf(liveCells(network.topology).length);
  const asked = await askEveryCell(network, "get_map", () => ({ places }), RPC_TIMEOUT);
  if (!asked.ok) return asked;
  const { answers, missing } = asked.value;
  const known = answers
    // What a cell has behind its last place is not known, so the map ends there.
    .flatMap(({ value }) => (value.truncated ? [value.places?.at(-1)?.id ?? ""] : []))
    .toSorted(compareText);
  const found = distinct(
    answers.flatMap(({ value }) => value.places ?? []),
    ({ id }) => id,
  )
    .filter(({ id }) => known[0] === undefined || id <= known[0])
    .toSorted((a, b) => compareText(a.id, b.id));
  return ok({
    mesh: answers[0]?.value.mesh ?? {},
    peers: mapOf(found.slice(0, MAP_PEERS_MAX)),
    truncated: known.length > 0 || found.length > MAP_PEERS_MAX,
    ...missingCells(missing),
  });
};

/** Places that a cell is asked for: somewhat more than its share of the map, since IDs spread evenly. */
const placesOf = (cells: number): number =>
  Math.min(MAP_PEERS_MAX, Math.ceil((1.3 * MAP_PEERS_MAX) / cells) + 100);
