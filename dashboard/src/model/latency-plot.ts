/** Peers by their round trips: the mesh is in the middle, and the distance from it is the measured round trip. */
import type { MapView, PeerView } from "../../../src/protocol/http.ts";
import { percentile } from "./throughput.ts";
import type { Point } from "./world-map.ts";

type Network = MapView["peers"][number]["network"];

/** Rings at these round trips, in milliseconds. */
const RINGS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
const RINGS_SHOWN = 4;
/** The angle between one and the next of peers whose direction is unknown: they spread evenly. */
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

export interface LatencyScale {
  /** The round trip at the rim, in milliseconds. */
  readonly rim: number;
  readonly rings: readonly number[];
}

/** The rings that the round trips need; the slowest hundredth of the peers may be at the rim. */
export function latencyScale(pings: readonly number[]): LatencyScale {
  const sorted = pings.toSorted((a, b) => a - b);
  const slowest = percentile(sorted, 0.99) ?? 1;
  const found = RINGS.findIndex((ring) => ring >= slowest);
  const last = found < 0 ? RINGS.length - 1 : found;
  const rings = RINGS.slice(Math.max(0, last + 1 - RINGS_SHOWN), last + 1);
  return { rim: rings.at(-1) as number, rings };
}

/** The share of the radius at which a round trip is: fast peers have more room. */
export const radiusAt = (ms: number, rim: number): number => Math.sqrt(Math.min(1, ms / rim));

/**
 * Where a peer is, as shares of the radius from the middle; null while its round trip is unknown. Its direction is that of its network coordinate: peers that are near
 * each other in the network are near each other here. Without a coordinate its number among the peers gives the direction, which means nothing.
 */
export function latencyPoint(
  { ping_ms: ping }: PeerView,
  network: Network,
  number: number,
  rim: number,
): Point | null {
  if (ping === null) return null;
  const angle =
    network === undefined ? number * GOLDEN_ANGLE : Math.atan2(network.y_ms, network.x_ms);
  const radius = radiusAt(ping, rim);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}
