import type { PeerId } from "../protocol/ids.ts";
import type { RouteTool } from "../protocol/route.ts";
import type { Parallelism } from "../scoring/earned-slots.ts";
import type { ReportedRoute } from "../scoring/hops.ts";
import { PLATFORM_SOURCE, type Observed, type ObservedPlace } from "../scoring/observed.ts";
import { insertRow, number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";
import { WriteBehind } from "./write-behind.ts";

/** Observations of each peer, apart from its record, because they change with every task. */
export function observedTable(sql: Sql) {
  const kept = new WriteBehind<Observed>({
    read: (peerIds) =>
      sql
        .exec(
          `SELECT * FROM observed WHERE peer_id IN (SELECT value FROM json_each(?))`,
          JSON.stringify(peerIds),
        )
        .map((row) => [text(row, "peer_id"), readObserved(row)]),
    write(peerId, { outcomes, uptime, connectedAt, place, route, parallelism }) {
      const columns = {
        peer_id: peerId,
        successes: outcomes.successes,
        failures: outcomes.failures,
        timeouts: outcomes.timeouts,
        refusals: outcomes.refusals,
        outcomes_at: outcomes.at,
        uptime_share: uptime?.share ?? null,
        uptime_known_ms: uptime?.knownMs ?? null,
        uptime_at: uptime?.at ?? null,
        connected_at: connectedAt,
        latitude: place?.latitude ?? null,
        longitude: place?.longitude ?? null,
        place_source: place?.source ?? null,
        place_at: place?.at ?? null,
        route_hops: route?.hops ?? null,
        route_tool: route?.tool ?? null,
        route_at: route?.at ?? null,
        alone_ratio: parallelism?.aloneRatio ?? null,
        alone_weight: parallelism?.aloneWeight ?? null,
        loaded_ratio: parallelism?.loadedRatio ?? null,
        loaded_held: parallelism?.loadedHeld ?? null,
        loaded_weight: parallelism?.loadedWeight ?? null,
        peak_held: parallelism?.peakHeld ?? null,
      };
      const updates = Object.keys(columns).map((name) => `${name} = excluded.${name}`);
      const tail = `ON CONFLICT (peer_id) DO UPDATE SET ${updates.join(", ")}`;
      insertRow(sql, "observed", columns, tail);
    },
  });

  function remove(peerId: PeerId): void {
    sql.exec(`DELETE FROM observed WHERE peer_id = ?`, peerId);
    kept.wrote(peerId, null);
  }

  return {
    kept,
    remove,

    get: (peerId: PeerId): Observed | null => kept.get(peerId),

    put: (peerId: PeerId, observed: Observed): void => kept.put(peerId, observed),

    /** Moves the rows of a peer that rotated its key to its new ID. */
    move(from: PeerId, to: PeerId): void {
      const observed = kept.get(from);
      remove(from);
      if (observed !== null) kept.put(to, observed);
    },
  };
}

function readObserved(row: SqlRow): Observed {
  const share = numberOrNull(row, "uptime_share");
  return {
    outcomes: {
      successes: number(row, "successes"),
      failures: number(row, "failures"),
      timeouts: number(row, "timeouts"),
      refusals: number(row, "refusals"),
      at: number(row, "outcomes_at"),
    },
    uptime:
      share === null
        ? null
        : { share, knownMs: number(row, "uptime_known_ms"), at: number(row, "uptime_at") },
    connectedAt: numberOrNull(row, "connected_at"),
    place: readPlace(row),
    route: readRoute(row),
    parallelism: readParallelism(row),
  };
}

function readPlace(row: SqlRow): ObservedPlace | null {
  const latitude = numberOrNull(row, "latitude");
  return latitude === null
    ? null
    : {
        latitude,
        longitude: number(row, "longitude"),
        source: textOrNull(row, "place_source") ?? PLATFORM_SOURCE,
        at: numberOrNull(row, "place_at"),
      };
}

function readRoute(row: SqlRow): ReportedRoute | null {
  const hops = numberOrNull(row, "route_hops");
  return hops === null
    ? null
    : { hops, tool: text(row, "route_tool") as RouteTool, at: number(row, "route_at") };
}

function readParallelism(row: SqlRow): Parallelism | null {
  const aloneRatio = numberOrNull(row, "alone_ratio");
  return aloneRatio === null
    ? null
    : {
        aloneRatio,
        aloneWeight: number(row, "alone_weight"),
        loadedRatio: number(row, "loaded_ratio"),
        loadedHeld: number(row, "loaded_held"),
        loadedWeight: number(row, "loaded_weight"),
        peakHeld: number(row, "peak_held"),
      };
}
