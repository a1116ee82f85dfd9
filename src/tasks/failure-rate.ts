import type { Millis } from "../base/clock.ts";
import { badOutcomes, outcomesAt, type Outcomes } from "../scoring/outcomes.ts";

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
/** A peer that fails more often is not excused by having always failed so. */
const OWN_RATE_MAX = 0.5;
/** What a failure of a peer that never did the kind says about the kind. */
const NEVER_DONE_WEIGHT = 0.2;

/**
 * The failure rate that is usual, with which a peer's failures are compared: that of the kind over all peers, or that of
 * the peer itself. A peer that has always failed at one task in three is expensive (its expected cost says so) and still
 * of use where all others are busy: it does not rest for being as it always was.
 */
export function usualRate(kind: FailureRate | null, peer: Outcomes, now: Millis): number {
  const { successes, ...others } = outcomesAt(peer, now);
  const bad = badOutcomes({ successes, ...others });
  const own = (PRIOR.rate * PRIOR.weight + bad) / (PRIOR.weight + bad + successes);
  return Math.max(USUAL_FAILURE_RATE, kind?.rate ?? PRIOR.rate, Math.min(OWN_RATE_MAX, own));
}

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
 * How much a failure says about the kind: little when the peer has failed at it just before or never did it, so that
 * broken peers, which may fail a thousand times a second, do not pass for a broken kind.
 *
 * @param failuresInRow of the peer at this kind, with this one
 */
export const kindWeight = (failuresInRow: number, everSucceeded: boolean): number =>
  (everSucceeded ? 1 : NEVER_DONE_WEIGHT) * Math.max(1, failuresInRow) ** -2;
