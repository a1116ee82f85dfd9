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
  /** What an RTT that was never measured counts as. */
  readonly rttUnknownMs: number;
  /** What a failed attempt costs beside the attempt itself. */
  readonly failurePriceMs: number;
  /** What an attempt costs that is lost with its peer: it is noticed late. */
  readonly lossPriceMs: number;
  /** How long a peer may be gone before it is noticed. */
  readonly silenceMs: number;
  readonly prior: Prior;
  /** At most this share of tasks goes to peers of which little is known, to learn more. */
  readonly newcomerShare: number;
  /** Outcomes below which a peer is such a newcomer. */
  readonly newcomerOutcomes: number;
  /** A peer with more than this share of the latest tasks comes after the others; 1 caps nobody. */
  readonly shareMax: number;
  /** By how much of its cost another must be cheaper than who had the last task of the kind. */
  readonly hysteresis: number;
  /** How many of the cheapest are ranked anew by nearness, when a task wants to be near. */
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
