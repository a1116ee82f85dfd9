import { HOUR, type Millis } from "../base/clock.ts";
import { estimateRtt, median, type Coordinate } from "./vivaldi.ts";

/** What one peer measured of its way to another. */
export interface Observed {
  /** The last few samples in milliseconds, the newest last. */
  readonly samples: readonly number[];
  readonly at: Millis;
}

/** A measurement counts before the coordinates for this long. */
const FRESH: Millis = HOUR;

/** Light in fibre makes about 100 km of way and back in a millisecond; nothing is faster. */
const KM_PER_MS = 100;

/**
 * Whether a round trip can be true of two peers at these distances from the mesh (kilometres; null when unknown): they
 * are at least the difference of the two apart.
 */
export const isPhysical = (rttMs: number, aKm: number | null, bKm: number | null): boolean =>
  aKm === null || bKm === null || rttMs >= Math.abs(aKm - bKm) / KM_PER_MS;

export interface PairRtt {
  /** Null when there is nothing to go by. */
  readonly rttMs: number | null;
  /** How far off it is expected to be. */
  readonly errorMs: number | null;
  /** What the estimate rests on: a measurement of the last hour, or where the two stand. */
  readonly basis: "observed" | "coordinates" | null;
  /** The newest measurement that either of them reported, however old. */
  readonly observed: { readonly rttMs: number; readonly at: Millis } | null;
}

/** What is known of the round trip between two peers, each way as its own end reported it. */
export function pairRtt(
  coordinates: readonly [Coordinate | null, Coordinate | null],
  ways: readonly (Observed | null)[],
  now: Millis,
): PairRtt {
  const [newest] = ways.filter((way) => way !== null).toSorted((a, b) => b.at - a.at);
  const observed = newest === undefined ? null : { rttMs: median(newest.samples), at: newest.at };
  if (newest !== undefined && observed !== null && now - newest.at < FRESH) {
    const errorMs = spread(newest.samples);
    return { rttMs: observed.rttMs, errorMs, basis: "observed", observed };
  }
  const [a, b] = coordinates;
  if (a === null || b === null) return { rttMs: null, errorMs: null, basis: null, observed };
  return { ...estimateRtt(a, b), basis: "coordinates", observed };
}

/** Half of what lies between the samples; of a single one, half of itself (as RFC 6298 begins its variance). */
function spread(samples: readonly number[]): number {
  const [least, most] = [Math.min(...samples), Math.max(...samples)];
  return samples.length === 1 ? least / 2 : (most - least) / 2;
}
