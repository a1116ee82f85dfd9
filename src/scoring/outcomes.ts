import { HOUR, type Millis } from "../base/clock.ts";

/** How attempts at tasks ended for a peer, each counted less the older it is. */
export interface Outcomes {
  readonly successes: number;
  /** The peer said that it could not do it, or was lost while it worked. */
  readonly failures: number;
  /** Nothing was heard: an offer not accepted, a lease run out. */
  readonly timeouts: number;
  readonly refusals: number;
  /** The time for which the counts hold; they halve with every `HALF_LIFE` after it. */
  readonly at: Millis;
}

export type OutcomeKind = "success" | "failure" | "timeout" | "refusal";

/** After this long an outcome counts half: a peer that was mended is not held to yesterday. */
export const HALF_LIFE: Millis = HOUR;

/** What a refusal weighs beside a failure: nothing was tried and little was lost, but it was no success. */
const REFUSAL_WEIGHT = 0.25;

/** Imagined outcomes that stand in until real ones outweigh them: a Beta prior over success and failure. */
export interface Prior {
  readonly successes: number;
  readonly failures: number;
}

export const noOutcomes = (at: Millis): Outcomes => ({
  successes: 0,
  failures: 0,
  timeouts: 0,
  refusals: 0,
  at,
});

/** What is left of a count after a time; a clock that was set back leaves it as it is. */
const remaining = (elapsed: Millis): number => 2 ** (-Math.max(0, elapsed) / HALF_LIFE);

/** The outcomes as they count now. */
export function outcomesAt(outcomes: Outcomes, now: Millis): Outcomes {
  const left = remaining(now - outcomes.at);
  return {
    successes: outcomes.successes * left,
    failures: outcomes.failures * left,
    timeouts: outcomes.timeouts * left,
    refusals: outcomes.refusals * left,
    at: Math.max(now, outcomes.at),
  };
}

/** The outcomes after one more. */
export function countOutcome(outcomes: Outcomes, kind: OutcomeKind, now: Millis): Outcomes {
  const { successes, failures, timeouts, refusals, at } = outcomesAt(outcomes, now);
  return {
    successes: successes + Number(kind === "success"),
    failures: failures + Number(kind === "failure"),
    timeouts: timeouts + Number(kind === "timeout"),
    refusals: refusals + Number(kind === "refusal"),
    at,
  };
}

/** All that speaks against the peer, in failures. */
export const badOutcomes = ({ failures, timeouts, refusals }: Outcomes): number =>
  failures + timeouts + REFUSAL_WEIGHT * refusals;

/** How many outcomes the counts hold now, whatever they were. */
export const outcomesKnown = (outcomes: Outcomes, now: Millis): number =>
  (outcomes.successes + badOutcomes(outcomes)) * remaining(now - outcomes.at);

/** The mean of the Beta posterior: how likely the next attempt is to fail, 0..1. */
export function failureRisk(outcomes: Outcomes, prior: Prior, now: Millis): number {
  const left = remaining(now - outcomes.at);
  const good = prior.successes + outcomes.successes * left;
  const bad = prior.failures + badOutcomes(outcomes) * left;
  return bad / (good + bad);
}
