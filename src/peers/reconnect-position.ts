import type { Random } from "../base/clock.ts";

/**
 * Seconds over which the peers of a small mesh spread their reconnects, whatever their number. Long enough that a
 * position reveals nothing about the size of a small mesh, and short enough for a reconnect.
 */
const SPREAD_SECONDS_MIN = 2;

/**
 * Number of reconnect positions: a power of two that is at least the number of peers and at least `SPREAD_SECONDS_MIN`
 * at the configured rate. Positions are drawn from this range at random. Peers that reconnect after position /
 * `perSecond` seconds keep to the rate on average, and a position reveals no more than the range (decision 020).
 */
export function reconnectPositions(peers: number, perSecond: number): number {
  const least = Math.max(peers, perSecond * SPREAD_SECONDS_MIN, 1);
  return 2 ** Math.ceil(Math.log2(least));
}

/** Draws a peer's reconnect position: a whole number from 0 to below `positions`. */
export const drawReconnectPosition = (positions: number, random: Random): number =>
  Math.floor(random() * positions);
