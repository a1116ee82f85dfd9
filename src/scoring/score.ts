/** What is known of a peer; null was never measured. */
export interface Metrics {
  /** Smoothed RTT in milliseconds. */
  readonly rttMs: number | null;
  readonly hops: number | null;
  readonly geoKm: number | null;
  readonly successes: number;
  readonly failures: number;
}

export interface Score {
  /** 0.0 worst .. 1.0 best. */
  readonly score: number;
  /** Share of the weight that rests on measurements, 0..1. */
  readonly confidence: number;
}

type Factor = "latency" | "reliability" | "hops" | "distance";

/** Latency and reliability weigh high, hops medium, distance low (DESIGN §6). They sum to 1. */
export const WEIGHTS: { readonly [F in Factor]: number } = {
  latency: 0.35,
  reliability: 0.35,
  hops: 0.2,
  distance: 0.1,
};

/** What an unmeasured factor counts as: middling, so that a newcomer is neither ideal nor hopeless. */
export const NEUTRAL = 0.5;
/** RTT in milliseconds and distance in kilometres that are worth half. */
const HALF_RTT_MS = 100;
const HALF_DISTANCE_KM = 3_000;
/** Beta prior of reliability: worth two imagined outcomes, one good. */
const PRIOR_SUCCESSES = 1;
const PRIOR_FAILURES = 1;
/** Outcomes at which reliability counts as half known. */
const HALF_KNOWN_OUTCOMES = 4;

/** 1 at zero, 1/2 at `half`, towards 0 without end. */
const falling = (value: number, half: number): number => half / (half + Math.max(0, value));

/** The weighted mean of the four factors, each normalised to 0..1; a factor never measured takes `NEUTRAL`. */
export function score(metrics: Metrics): Score {
  const { rttMs, hops, geoKm, successes, failures } = metrics;
  const outcomes = successes + failures;
  const factors: { readonly [F in Factor]: { readonly value: number; readonly known: number } } = {
    latency: measured(rttMs, (ms) => falling(ms, HALF_RTT_MS)),
    reliability: {
      value: (successes + PRIOR_SUCCESSES) / (outcomes + PRIOR_SUCCESSES + PRIOR_FAILURES),
      known: outcomes / (outcomes + HALF_KNOWN_OUTCOMES),
    },
    hops: measured(hops, (count) => 1 / Math.max(1, count)),
    distance: measured(geoKm, (km) => falling(km, HALF_DISTANCE_KM)),
  };
  let total = 0;
  let confidence = 0;
  for (const factor of Object.keys(WEIGHTS) as Factor[]) {
    total += WEIGHTS[factor] * factors[factor].value;
    confidence += WEIGHTS[factor] * factors[factor].known;
  }
  return { score: Math.min(1, total), confidence: Math.min(1, confidence) };
}

function measured(raw: number | null, normalise: (raw: number) => number) {
  return raw === null || !Number.isFinite(raw)
    ? { value: NEUTRAL, known: 0 }
    : { value: normalise(raw), known: 1 };
}
