import type { Prior } from "../scoring/outcomes.ts";
import { SERVICE_TIME_MODEL, type ServiceTimeModel } from "../scoring/service-time.ts";

/** How a peer is chosen. */
export type Policy = BestScore | ExpectedCost;

/** What both policies have. Absent in choices that were stored before the rules existed: they are recomputed without. */
interface Careful {
  /** Whether peers that failed at the task come after peers that have no free slot. */
  readonly failedLast?: boolean;
  /** At most this share of choices probes a peer whose circuit is half-open although other peers could take the task. */
  readonly probeShare?: number;
}

/** The highest score wins. */
interface BestScore extends Careful {
  readonly name: "best-score";
}

/** The least expected cost wins. Times in milliseconds. */
export interface ExpectedCost extends Careful {
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
  /**
   * When a task goes to a peer that is less loaded than the best one; null: never. Absent in choices that were stored
   * before the rule existed: they are recomputed without it.
   */
  readonly loadSpreading?: LoadSpreading | null;
  /** How service times count. Absent in choices that were stored before they faded. */
  readonly serviceTimes?: ServiceTimeModel;
}

/** How much more expensive a peer may look and still share the load with the best one. */
export interface LoadSpreading {
  /** Tolerated excess of round trip and service time: a share of the best peer's, plus milliseconds. */
  readonly timeShare: number;
  readonly timeMs: number;
  /** Tolerated excess of the cost of losing the peer, in milliseconds, in addition to the share of time. */
  readonly lossMs: number;
  /** Standard deviations by which its bad outcomes may exceed those that the best peer would have had. */
  readonly deviations: number;
}

const CAREFUL = { failedLast: true, probeShare: 0.005 } as const;

export const BEST_SCORE: BestScore = { name: "best-score", ...CAREFUL };

/** Tuned on seeds 1 to 5 of bench/selection. */
export const DEFAULT_POLICY: ExpectedCost = {
  name: "expected-cost",
  ...CAREFUL,
  rttDeviations: 0.5,
  rttUnknownMs: 500,
  failurePriceMs: 30_000,
  lossPriceMs: 25_000,
  silenceMs: 20_000,
  prior: { successes: 8, failures: 0.1 },
  newcomerShare: 0.005,
  newcomerOutcomes: 3,
  shareMax: 1,
  hysteresis: 0.05,
  nearBest: 8,
  loadSpreading: { timeShare: 0.25, timeMs: 50, lossMs: 250, deviations: 1 },
  serviceTimes: SERVICE_TIME_MODEL,
};
