import { HOUR, type Millis } from "../base/clock.ts";

/** How a peer's attempts ended. Each outcome counts less the older it is. */
export interface Outcomes {
  readonly successes: number;
  /** The peer reported a failure, or was lost while it worked. */
  readonly failures: number;
  /** There was no answer: an offer was not accepted, or a lease ended. */
  readonly timeouts: number;
  readonly refusals: number;
  /** The time for which the counts hold. They halve with every `HALF_LIFE` after it. */
  readonly at: Millis;
}

export type OutcomeKind = "success" | "failure" | "timeout" | "refusal";

/** After this time an outcome counts half, so that a repaired peer recovers. */
export const HALF_LIFE: Millis = HOUR;

/** Weight of a refusal relative to a failure: nothing was tried and little was lost, but it was not a success. */
const REFUSAL_WEIGHT = 0.25;

/** A Beta prior over success and failure: pseudo-outcomes until real ones outweigh them. */
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

/** The part of a count that is left after a time. A clock that was set back leaves it unchanged. */
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

/**
 * The outcomes after one more.
 *
 * @param weight how much it says about the peer; a negative weight takes an earlier outcome back, as far as it still counts
 */
export function countOutcome(
  outcomes: Outcomes,
  kind: OutcomeKind,
  now: Millis,
  weight = 1,
): Outcomes {
  const { successes, failures, timeouts, refusals, at } = outcomesAt(outcomes, now);
  const after = (count: number, of: OutcomeKind) =>
    kind === of ? Math.max(0, count + weight) : count;
  return {
    successes: after(successes, "success"),
    failures: after(failures, "failure"),
    timeouts: after(timeouts, "timeout"),
    refusals: after(refusals, "refusal"),
    at,
  };
}

/** The weighted number of bad outcomes, in failures. */
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
