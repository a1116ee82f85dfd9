import { HOUR, type Millis } from "../base/clock.ts";
import { estimateRtt, median, type Coordinate } from "./vivaldi.ts";

/** The round trips to another peer that one peer measured. */
export interface Observed {
  /** The last few samples in milliseconds, the newest last. */
  readonly samples: readonly number[];
  readonly at: Millis;
}

/** For this long a measurement is preferred to the coordinates. */
const FRESH: Millis = HOUR;

/** Kilometers that light in fiber covers as a round trip in a millisecond. */
const KM_PER_MS = 100;

/**
 * Whether a round trip is possible between two peers at these distances from the mesh (kilometers; null when unknown):
 * they are at least the difference of the two apart.
 */
export const isPhysical = (rttMs: number, aKm: number | null, bKm: number | null): boolean =>
  aKm === null || bKm === null || rttMs >= Math.abs(aKm - bKm) / KM_PER_MS;

export interface PairRtt {
  /** Null when nothing is known. */
  readonly rttMs: number | null;
  /** The expected error. */
  readonly errorMs: number | null;
  /** What the estimate rests on: a measurement of the last hour, or the coordinates of both. */
  readonly basis: "observed" | "coordinates" | null;
  /** The newest measurement that either peer reported, however old. */
  readonly observed: { readonly rttMs: number; readonly at: Millis } | null;
}

/** Estimates the round trip between two peers from what each of them reported and from their coordinates. */
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

/** Half the range of the samples; for a single sample, half of it (as RFC 6298 initializes its variance). */
function spread(samples: readonly number[]): number {
  const [least, most] = [Math.min(...samples), Math.max(...samples)];
  return samples.length === 1 ? least / 2 : (most - least) / 2;
}
