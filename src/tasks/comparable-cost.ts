import type { Millis } from "../base/clock.ts";
import { badOutcomes, outcomesAt } from "../scoring/outcomes.ts";
import type { Candidate } from "./eligibility.ts";
import type { Cost } from "./expected-cost.ts";
import type { ExpectedCost, LoadSpreading } from "./policy.ts";

/** A peer with its expected cost for a task. */
export interface CostedPeer {
  readonly peer: Candidate;
  readonly cost: Cost;
}

/**
 * Whether a peer is not credibly more expensive than the best one: its times are within the tolerances, and its number
 * of failures does not show that it fails more often. A peer is then not passed over because the best one has more
 * successes on record, or because of noise in a measured time.
 */
export function isComparable(
  one: CostedPeer,
  best: CostedPeer,
  now: Millis,
  policy: ExpectedCost,
  spreading: LoadSpreading,
): boolean {
  const [oneMs, bestMs] = [timeMs(one.cost), timeMs(best.cost)];
  const relativeMs = spreading.timeShare * bestMs;
  return (
    oneMs <= bestMs + relativeMs + spreading.timeMs &&
    one.cost.lossMs <= best.cost.lossMs + relativeMs + spreading.lossMs &&
    !failsMoreOften(one.peer, best.peer, now, policy, spreading)
  );
}

/** How long the task takes at the peer, without the risks. */
const timeMs = ({ rttMs, waitMs, serviceMs }: Cost): number => rttMs + waitMs + serviceMs;

/**
 * Whether a peer has more bad outcomes than the best one would plausibly have had in as many attempts. The number that
 * it would have had is beta-binomial under its posterior; the mean plus some standard deviations is the limit. A peer
 * without a bad outcome never exceeds it, however few outcomes are known.
 */
function failsMoreOften(
  one: Candidate,
  best: Candidate,
  now: Millis,
  { prior }: ExpectedCost,
  { deviations }: LoadSpreading,
): boolean {
  const outcomes = outcomesAt(one.evidence.outcomes, now);
  const bad = badOutcomes(outcomes);
  const attempts = outcomes.successes + bad;
  const known = outcomesAt(best.evidence.outcomes, now);
  const a = prior.failures + badOutcomes(known);
  const b = prior.successes + known.successes;
  const risk = a / (a + b);
  const variance = (attempts * risk * (1 - risk) * (a + b + attempts)) / (a + b + 1);
  return bad > attempts * risk + deviations * Math.sqrt(variance);
}
