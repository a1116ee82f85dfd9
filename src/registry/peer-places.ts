import type { Place } from "../base/place.ts";
import type { Region } from "../protocol/discovery.ts";
import type { PeerPlace } from "../scoring/peer-map.ts";
import type { Coordinate } from "../scoring/vivaldi.ts";
import { json, number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

export type { PeerPlace };

/** The connected peers by ID, at most `limit`. Measurements of the last seconds are not in it. */
export const connectedPlaces = (sql: Sql, limit: number): readonly PeerPlace[] =>
  sql
    .exec(
      `SELECT peers.id, region, rtt_ms, latitude, longitude, vector, height, adjustment, error
       FROM peers LEFT JOIN observed ON observed.peer_id = peers.id LEFT JOIN coordinates ON coordinates.peer_id = peers.id
       WHERE state IN ('active', 'suspect') ORDER BY peers.id LIMIT ?`,
      limit,
    )
    .map((row) => ({
      id: text(row, "id"),
      region: textOrNull(row, "region") as Region | null,
      place: placeOf(row),
      coordinate: textOrNull(row, "vector") === null ? null : coordinateOf(row),
      rttMs: numberOrNull(row, "rtt_ms"),
    }));

function placeOf(row: SqlRow): Place | null {
  const [latitude, longitude] = [numberOrNull(row, "latitude"), numberOrNull(row, "longitude")];
  return latitude === null || longitude === null ? null : { latitude, longitude };
}

const coordinateOf = (row: SqlRow): Coordinate => ({
  vector: json(row, "vector"),
  height: number(row, "height"),
  adjustment: number(row, "adjustment"),
  error: number(row, "error"),
  residuals: [],
});
