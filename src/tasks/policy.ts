import type { Prior } from "../scoring/outcomes.ts";

/** How a peer is chosen. */
export type Policy = BestScore | ExpectedCost;

/** The highest score wins. */
interface BestScore {
  readonly name: "best-score";
}

/** The least expected cost wins. Times in milliseconds. */
export interface ExpectedCost {
  readonly name: "expected-cost";
  /** Deviations that are added to the smoothed RTT: a path that varies costs more than its mean. */
  readonly rttDeviations: number;
  /** The assumed RTT of a peer that was never measured. */
  readonly rttUnknownMs: number;
  /** The price of a failed attempt, in addition to the attempt itself. */
  readonly failurePriceMs: number;
  /** The price of an attempt that is lost with its peer, which is noticed late. */
  readonly lossPriceMs: number;
  /** How long a lost peer may go unnoticed. */
  readonly silenceMs: number;
  readonly prior: Prior;
  /** At most this share of tasks explores: it goes to peers of which little is known. */
  readonly newcomerShare: number;
  /** Number of outcomes below which a peer counts as new. */
  readonly newcomerOutcomes: number;
  /** A peer with more than this share of the latest tasks comes after the others; 1 is no cap. */
  readonly shareMax: number;
  /** The part of its cost by which another peer must be cheaper than the peer that had the last task of the kind. */
  readonly hysteresis: number;
  /** How many of the cheapest peers are ranked again by nearness, when a task asks for it. */
  readonly nearBest: number;
}

/** Tuned on seeds 1 to 5 of bench/selection. */
export const DEFAULT_POLICY: ExpectedCost = {
  name: "expected-cost",
  rttDeviations: 0.5,
  rttUnknownMs: 500,
  failurePriceMs: 30_000,
  lossPriceMs: 25_000,
  silenceMs: 20_000,
  prior: { successes: 8, failures: 0.3 },
  newcomerShare: 0.005,
  newcomerOutcomes: 3,
  shareMax: 1,
  hysteresis: 0.05,
  nearBest: 8,
};
