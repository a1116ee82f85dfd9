/** Peers that are close together on a picture are one spot of it. */
import type { PeerView } from "../../../src/protocol/http.ts";
import type { Point } from "./world-map.ts";

export interface Placed {
  readonly peer: PeerView;
  /** In pixels. */
  readonly at: Point;
}

export interface Spot {
  /** The mean place of its peers, in pixels. */
  readonly at: Point;
  readonly peers: readonly PeerView[];
  /** The mean score. */
  readonly score: number;
}

/** The distance below which two peers can't be told apart, in pixels. */
const CELL = 14;
const RADIUS_MIN = 5;
const RADIUS_MAX = 15;

/** The spots, those with the most peers first. A peer is in the spot of its cell of a grid, and spots that would cover each other are one. */
export function spotsOf(placed: readonly Placed[]): readonly Spot[] {
  const cells = new Map<string, Placed[]>();
  for (const each of placed) {
    const [x, y] = each.at;
    const cell = `${Math.floor(x / CELL)} ${Math.floor(y / CELL)}`;
    const same = cells.get(cell);
    if (same === undefined) cells.set(cell, [each]);
    else same.push(each);
  }
  const spots: Spot[] = [];
  for (const spot of [...cells.values()].map(spotOf).toSorted(byPeers)) {
    const covered = spots.findIndex((other) => cover(spot, other));
    if (covered < 0) spots.push(spot);
    else spots[covered] = joined(spots[covered] as Spot, spot);
  }
  return spots.toSorted(byPeers);
}

const byPeers = (a: Spot, b: Spot): number => b.peers.length - a.peers.length || a.at[0] - b.at[0];

/** Whether one covers more than the rim of the other. */
const cover = (a: Spot, b: Spot): boolean =>
  Math.hypot(a.at[0] - b.at[0], a.at[1] - b.at[1]) < 0.8 * (radiusOf(a) + radiusOf(b));

function joined(a: Spot, b: Spot): Spot {
  const share = b.peers.length / (a.peers.length + b.peers.length);
  const between = (x: number, y: number): number => x + share * (y - x);
  return {
    at: [between(a.at[0], b.at[0]), between(a.at[1], b.at[1])],
    peers: [...a.peers, ...b.peers],
    score: between(a.score, b.score),
  };
}

const spotOf = (placed: readonly Placed[]): Spot => ({
  at: [mean(placed.map(({ at }) => at[0])), mean(placed.map(({ at }) => at[1]))],
  peers: placed.map(({ peer }) => peer),
  score: mean(placed.map(({ peer }) => peer.score)),
});

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The radius of a spot in pixels: its area grows with its peers. */
export const radiusOf = ({ peers }: Spot): number =>
  Math.min(RADIUS_MAX, RADIUS_MIN * Math.sqrt(peers.length));

/** The spot at a point, or the nearest one a few pixels beside it; null if there is none. */
export function spotAt(spots: readonly Spot[], [x, y]: Point): Spot | null {
  let nearest: Spot | null = null;
  let least = 6;
  for (const spot of spots) {
    const beside = Math.hypot(spot.at[0] - x, spot.at[1] - y) - radiusOf(spot);
    if (beside < least) [nearest, least] = [spot, beside];
  }
  return nearest;
}
