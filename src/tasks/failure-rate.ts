/** How often attempts at a kind fail, over all peers. */
export interface FailureRate {
  /** 0..1. */
  readonly rate: number;
  /** Number of attempts that it rests on, with those of the prior; at most `WEIGHT_MAX`, so that it follows changes. */
  readonly weight: number;
}

/** The failure rate of a kind that works. Below it no kind is distinguished. */
export const USUAL_FAILURE_RATE = 0.1;

/** A kind of which nothing is known fails at half the usual rate, and is given up only after many failures. */
const PRIOR: FailureRate = { rate: 0.05, weight: 20 };
const WEIGHT_MAX = 200;

/** The rate that a kind's failures are compared with. */
export const baseRateOf = (rate: FailureRate | null): number =>
  Math.max(USUAL_FAILURE_RATE, rate?.rate ?? PRIOR.rate);

/**
 * The rate after one more attempt.
 *
 * @param weight a failure counts as much as it is independent of the others: the product of `failureWeight` (of the task)
 * and `kindWeight` (of the peer); a success counts 1
 */
export function countAttempt(
  before: FailureRate | null,
  failed: boolean,
  weight: number,
): FailureRate {
  const { rate, weight: known } = before ?? PRIOR;
  const all = known + weight;
  return {
    rate: rate + (Number(failed) - rate) * (weight / all),
    weight: Math.min(WEIGHT_MAX, all),
  };
}

/**
 * How much a failure says about the kind: little when the peer has failed at it just before, so that one broken peer,
 * which may fail a thousand times a second, does not pass for a broken kind.
 *
 * @param failuresInRow of the peer at this kind, with this one
 */
export const kindWeight = (failuresInRow: number): number => Math.max(1, failuresInRow) ** -2;
