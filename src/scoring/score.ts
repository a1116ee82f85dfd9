import { ASSUMED_KNOWN, DIRECT_HOPS } from "./hops.ts";

/** The metrics of a peer; null where never measured. */
export interface Metrics {
  /** Smoothed RTT in milliseconds. */
  readonly rttMs: number | null;
  /** Hops of the network path to the mesh, and how much of that is known, 0..1. */
  readonly hops: number | null;
  readonly hopsKnown: number;
  /** Whether it has, or had, a session of its own: shown as one hop where no path was measured. */
  readonly direct: boolean;
  readonly geoKm: number | null;
  /** Outcomes as they count now: decayed, and in fractions. */
  readonly successes: number;
  readonly failures: number;
  /** Share of time connected, 0..1. */
  readonly uptime: number | null;
}

export interface Score {
  /** 0.0 worst .. 1.0 best. */
  readonly score: number;
  /** Share of the weight that rests on measurements, 0..1. */
  readonly confidence: number;
}

export const FACTORS = ["latency", "reliability", "hops", "distance"] as const;
export type Factor = (typeof FACTORS)[number];
export type Weights = { readonly [F in Factor]: number };

/** Latency and reliability weigh high, hops medium, distance low, unless configured otherwise. */
export const WEIGHTS: Weights = { latency: 0.35, reliability: 0.35, hops: 0.2, distance: 0.1 };

/** Tolerance of the sum of the weights, because decimals do not add up exactly in binary. */
const SUM_TOLERANCE = 1e-6;

/** Whether the weights keep a score within 0..1. */
export const areWeights = (weights: Weights): boolean =>
  FACTORS.every((factor) => weights[factor] >= 0) &&
  Math.abs(FACTORS.reduce((sum, factor) => sum + weights[factor], 0) - 1) <= SUM_TOLERANCE;

/** One factor's part of a score. */
export interface Part {
  /** In the factor's own unit; null where never measured. For reliability it is the share of successes. */
  readonly raw: number | null;
  /** 0..1, 1 being best; `NEUTRAL` when nothing is known. */
  readonly normalised: number;
  /** 0..1: how much of `normalised` was measured. */
  readonly known: number;
  readonly weight: number;
  /** `weight * normalised`. */
  readonly part: number;
}

/** The normalized value of an unmeasured factor: the middle, so that a new peer is neither best nor worst. */
export const NEUTRAL = 0.5;
/** RTT in milliseconds and distance in kilometers with a normalized value of 1/2. */
const HALF_RTT_MS = 100;
const HALF_DISTANCE_KM = 3_000;
/** Hops with a normalized value of 1/2, the middle of what traceroutes on the Internet show. One hop is the best. */
const HALF_HOPS = 13;
/** Beta prior of reliability: two pseudo-outcomes, one of them good. */
const PRIOR_SUCCESSES = 1;
const PRIOR_FAILURES = 1;
/** The part of its reliability that a peer loses which is never connected. */
const ABSENCE_WEIGHT = 0.5;
/** Outcomes at which reliability counts as half known. */
const HALF_KNOWN_OUTCOMES = 4;

/** 1 at zero, 1/2 at `half`, toward 0 at infinity. */
const falling = (value: number, half: number): number => half / (half + Math.max(0, value));

/** Each factor, normalized to 0..1 and weighted. An unmeasured factor counts as `NEUTRAL`. */
export function parts(metrics: Metrics, weights: Weights = WEIGHTS): { [F in Factor]: Part } {
  const { rttMs, geoKm, successes, failures, uptime } = metrics;
  const outcomes = successes + failures;
  const mean = (successes + PRIOR_SUCCESSES) / (outcomes + PRIOR_SUCCESSES + PRIOR_FAILURES);
  return {
    latency: measured(weights.latency, rttMs, (ms) => falling(ms, HALF_RTT_MS)),
    reliability: part(
      weights.reliability,
      outcomes > 0 ? successes / outcomes : null,
      mean * (1 - ABSENCE_WEIGHT * (1 - (uptime ?? 1))),
      outcomes / (outcomes + HALF_KNOWN_OUTCOMES),
    ),
    hops: hopsPart(weights.hops, metrics),
    distance: measured(weights.distance, geoKm, (km) => falling(km, HALF_DISTANCE_KM)),
  };
}

/** The weighted mean of the four factors. */
export function score(metrics: Metrics, weights: Weights = WEIGHTS): Score {
  const all = Object.values(parts(metrics, weights));
  const sum = (of: (one: Part) => number) => all.reduce((total, one) => total + of(one), 0);
  return {
    score: Math.min(
      1,
      sum((one) => one.part),
    ),
    confidence: Math.min(
      1,
      sum(({ weight, known }) => weight * known),
    ),
  };
}

const part = (weight: number, raw: number | null, normalised: number, known: number): Part => ({
  raw,
  normalised,
  known,
  weight,
  part: weight * normalised,
});

/**
 * Hops count as far as they are known, and as `NEUTRAL` for the rest. The one hop of a direct session is the same for every
 * peer, so it is shown and does not count: such a peer is neither better nor worse than one with a usual path.
 */
function hopsPart(weight: number, { hops, hopsKnown, direct }: Metrics): Part {
  if (hops === null || !Number.isFinite(hops))
    return direct
      ? part(weight, DIRECT_HOPS, NEUTRAL, ASSUMED_KNOWN)
      : part(weight, null, NEUTRAL, 0);
  const value = falling(hops - DIRECT_HOPS, HALF_HOPS - DIRECT_HOPS);
  return part(weight, hops, NEUTRAL + hopsKnown * (value - NEUTRAL), hopsKnown);
}

const measured = (weight: number, raw: number | null, normalise: (raw: number) => number): Part =>
  raw === null || !Number.isFinite(raw)
    ? part(weight, null, NEUTRAL, 0)
    : part(weight, raw, normalise(raw), 1);
