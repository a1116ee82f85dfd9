import type { Millis, Random } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { outcomesKnown } from "../scoring/outcomes.ts";
import { exclusion, hasSlot, type Candidate, type Demand, type Exclusion } from "./eligibility.ts";
import { expectedCost, type Cost } from "./expected-cost.ts";
import { tieBreakOf } from "./tie-break.ts";
import { DEFAULT_POLICY, type ExpectedCost, type Policy } from "./policy.ts";

export interface Choice {
  /** The peer that gets the task; null when nobody may have it now. */
  readonly peer: Candidate | null;
  /** By what it was chosen: the policy's measure, as a newcomer to be tried, or as the nearest of the best. */
  readonly by: "measure" | "newcomer" | "near" | null;
  /** Who was ruled out, by which rule. */
  readonly excluded: readonly { readonly peerId: PeerId; readonly rule: Exclusion }[];
  /** Who may have the task, in no order. */
  readonly eligible: readonly Contender[];
  /** The random numbers that went in: with them the choice can be made again. */
  readonly draws: Draws;
}

export interface Draws {
  /** Decides between equals. */
  readonly lot: number;
  /** Decides whether a newcomer is tried. */
  readonly venture: number;
}

/** A peer that may have the task, and what it is worth for it. */
export interface Contender {
  readonly peer: Candidate;
  /** What puts it behind others, however little it costs. */
  readonly heldBack: readonly HoldBack[];
  /** Who has the lesser one goes first; follows from `heldBack`. */
  readonly rank: number;
  /** The less the better: the expected cost, less the incumbent's advantage; or the score, negated. */
  readonly measure: number;
  /** Null under a policy that knows no cost. */
  readonly cost: Cost | null;
}

type HoldBack = "no_free_slot" | "failed_before" | "over_share";
const RANKS: { readonly [H in HoldBack]: number } = {
  no_free_slot: 4,
  failed_before: 2,
  over_share: 1,
};

/** Draws what a choice needs, always as much, so that a replay is as simple as the draw. */
const draw = (random: Random): Draws => ({ lot: random(), venture: random() });

/**
 * Chooses who gets a task: the one function that does. Filters go first; of the rest the policy's measure decides,
 * those with a free slot and then those that have not failed at this task going first; equal ones are drawn by lot, so
 * that no order of listing decides. It is pure, and depends on nobody but the chosen one and those before it: made again
 * with the same draws among any of the candidates that include those, it comes out the same.
 */
export function choose(
  task: Demand,
  candidates: readonly Candidate[],
  now: Millis,
  random: Random,
  policy: Policy = DEFAULT_POLICY,
): Choice {
  const draws = draw(random);
  const excluded: { peerId: PeerId; rule: Exclusion }[] = [];
  const eligible: Contender[] = [];
  for (const peer of candidates) {
    const rule = exclusion(task, peer);
    if (rule === null) eligible.push(contender(task, peer, now, policy));
    else excluded.push({ peerId: peer.peerId, rule });
  }
  const found = { excluded, eligible, draws };
  if (policy.name === "expected-cost") {
    const newcomer = ventured(task, eligible, now, draws, policy);
    if (newcomer !== null) return { peer: newcomer.peer, by: "newcomer", ...found };
    const near = nearest(eligible, draws, policy);
    if (near !== null) return { peer: near.peer, by: "near", ...found };
  }
  const first = best(eligible, draws);
  return { peer: first?.peer ?? null, by: first === null ? null : "measure", ...found };
}

function contender(task: Demand, peer: Candidate, now: Millis, policy: Policy): Contender {
  const heldBack: HoldBack[] = [];
  if (!hasSlot(peer)) heldBack.push("no_free_slot");
  if (task.tried.has(peer.peerId)) heldBack.push("failed_before");
  if (policy.name === "expected-cost" && peer.evidence.share > policy.shareMax)
    heldBack.push("over_share");
  const rank = heldBack.reduce((sum, one) => sum + RANKS[one], 0);
  if (policy.name === "best-score")
    return { peer, heldBack, rank, measure: -peer.score, cost: null };
  const cost = expectedCost(task, peer, now, policy);
  const kept = peer.peerId === task.incumbent ? 1 - policy.hysteresis : 1;
  return { peer, heldBack, rank, measure: cost.totalMs * kept, cost };
}

/** Negative when `a` goes before `b`. */
const compare = (a: Contender, b: Contender, { lot }: Draws): number =>
  a.rank - b.rank ||
  a.measure - b.measure ||
  tieBreakOf(a.peer.peerId, lot) - tieBreakOf(b.peer.peerId, lot);

function best(contenders: readonly Contender[], draws: Draws): Contender | null {
  let first: Contender | null = null;
  for (const one of contenders) if (first === null || compare(one, first, draws) < 0) first = one;
  return first;
}

/** Who may have the task, the best first. */
export const ranking = ({ eligible, draws }: Choice): readonly Contender[] =>
  eligible.toSorted((a, b) => compare(a, b, draws));

/**
 * The newcomer to be tried now, if it is time for one: without trials nothing would ever be learned of a peer that
 * begins behind the known ones. A newcomer is tried with a free slot only, and not twice with the same task.
 */
function ventured(
  { tried }: Demand,
  eligible: readonly Contender[],
  now: Millis,
  draws: Draws,
  { newcomerShare, newcomerOutcomes }: ExpectedCost,
): Contender | null {
  if (draws.venture >= newcomerShare || tried.size > 0) return null;
  const newcomers = eligible.filter(
    ({ peer }) => hasSlot(peer) && outcomesKnown(peer.evidence.outcomes, now) < newcomerOutcomes,
  );
  return best(newcomers, draws);
}

/** The nearest of the best, when nearness is asked for and known of any. */
function nearest(
  eligible: readonly Contender[],
  draws: Draws,
  { nearBest }: ExpectedCost,
): Contender | null {
  if (!eligible.some(({ peer }) => peer.evidence.nearMs !== null)) return null;
  const ranked = eligible.toSorted((a, b) => compare(a, b, draws)).slice(0, nearBest);
  const distance = ({ peer }: Contender) => peer.evidence.nearMs ?? Infinity;
  const foremost = ranked.filter(({ rank }) => rank === ranked[0]?.rank);
  return foremost.reduce<Contender | null>(
    (first, one) => (first === null || distance(one) < distance(first) ? one : first),
    null,
  );
}
