import type { Millis, Random } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { outcomesKnown } from "../scoring/outcomes.ts";
import { isComparable, type CostedPeer } from "./comparable-cost.ts";
import {
  exclusion,
  hasSlot,
  isResting,
  usableSlots,
  type Candidate,
  type Demand,
  type Exclusion,
} from "./eligibility.ts";
import { expectedCost, type Cost } from "./expected-cost.ts";
import { tieBreakOf } from "./tie-break.ts";
import { DEFAULT_POLICY, type ExpectedCost, type Policy } from "./policy.ts";

export interface Choice {
  /** The peer that gets the task; null when no peer may have it now. */
  readonly peer: Candidate | null;
  /**
   * How it was chosen: by the policy's measure, for exploration, to probe a peer that rested, as the nearest of the best,
   * or as the least loaded of those comparable to the best.
   */
  readonly by: "measure" | "newcomer" | "probe" | "near" | "load" | null;
  /** The excluded peers, each with the rule that excludes it. */
  readonly excluded: readonly { readonly peerId: PeerId; readonly rule: Exclusion }[];
  /** The peers that may have the task, in no order. */
  readonly eligible: readonly Contender[];
  /** The random numbers of the choice, with which it can be recomputed. */
  readonly draws: Draws;
}

export interface Draws {
  /** Breaks ties. */
  readonly tieBreak: number;
  /** Decides whether a new peer is tried (exploration). */
  readonly exploration: number;
}

/** A peer that may have the task, with its rank and measure. */
export interface Contender {
  readonly peer: Candidate;
  /** Reasons that put it behind other peers, however low its cost. */
  readonly heldBack: readonly HoldBack[];
  /** A lower rank comes first. It follows from `heldBack`. */
  readonly rank: number;
  /** Lower is better: the expected cost minus the incumbent's advantage, or the negated score. */
  readonly measure: number;
  /** Null under a policy without costs. */
  readonly cost: Cost | null;
}

type HoldBack = "circuit_not_closed" | "no_free_slot" | "failed_before" | "over_share";
/** Powers of two: a reason outweighs all later ones together. */
const RANKS: { readonly [H in HoldBack]: number } = {
  circuit_not_closed: 16,
  no_free_slot: 4,
  failed_before: 2,
  over_share: 1,
};
/** Of `failed_before` under a policy with `failedLast`: rather wait at another peer than return to one that failed. */
const FAILED_LAST = 8;

/** Draws the random numbers of one choice. Always the same number of draws, so that a choice can be replayed. */
const draw = (random: Random): Draws => ({ tieBreak: random(), exploration: random() });

/**
 * Chooses the peer that gets a task. This is the only function that does. Filters apply first. Among the rest, peers
 * with a free slot come first, then peers that have not failed at this task, then the policy's measure decides. Ties
 * are broken at random, so that no order of listing decides. When the best peer holds tasks already, a less loaded peer
 * of comparable cost goes before it. The function is pure, and its result depends only on the chosen peer, the best one
 * and those ranked between: with the same draws and any set of candidates that includes those, the result is the same.
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
  const probed = probe(task, eligible, draws, policy);
  if (probed !== null) return { peer: probed.peer, by: "probe", ...found };
  if (policy.name === "expected-cost") {
    const newcomer = explore(task, eligible, now, draws, policy);
    if (newcomer !== null) return { peer: newcomer.peer, by: "newcomer", ...found };
    const near = nearest(eligible, draws, policy);
    if (near !== null) return { peer: near.peer, by: "near", ...found };
    const spread = leastLoaded(eligible, now, draws, policy);
    if (spread !== null) return { peer: spread.peer, by: "load", ...found };
  }
  const first = best(eligible, draws);
  return { peer: first?.peer ?? null, by: first === null ? null : "measure", ...found };
}

function contender(task: Demand, peer: Candidate, now: Millis, policy: Policy): Contender {
  const heldBack: HoldBack[] = [];
  // In a panic the circuits say nothing about the peers.
  if (isResting(peer) && task.panic !== true) heldBack.push("circuit_not_closed");
  if (!hasSlot(peer)) heldBack.push("no_free_slot");
  if (task.tried.has(peer.peerId)) heldBack.push("failed_before");
  if (policy.name === "expected-cost" && peer.evidence.share > policy.shareMax)
    heldBack.push("over_share");
  const rank = heldBack.reduce((sum, one) => sum + rankOf(one, policy), 0);
  if (policy.name === "best-score")
    return { peer, heldBack, rank, measure: -peer.score, cost: null };
  const cost = expectedCost(task, peer, now, policy);
  const kept = peer.peerId === task.incumbent ? 1 - policy.hysteresis : 1;
  return { peer, heldBack, rank, measure: cost.totalMs * kept, cost };
}

const rankOf = (reason: HoldBack, { failedLast }: Policy): number =>
  reason === "failed_before" && failedLast === true ? FAILED_LAST : RANKS[reason];

/** Negative when `a` goes before `b`. */
const compare = (a: Contender, b: Contender, { tieBreak }: Draws): number =>
  a.rank - b.rank ||
  a.measure - b.measure ||
  tieBreakOf(a.peer.peerId, tieBreak) - tieBreakOf(b.peer.peerId, tieBreak);

function best(contenders: readonly Contender[], draws: Draws): Contender | null {
  let first: Contender | null = null;
  for (const one of contenders) if (first === null || compare(one, first, draws) < 0) first = one;
  return first;
}

/** The peers that may have the task, the best first. */
export const ranking = ({ eligible, draws }: Choice): readonly Contender[] =>
  eligible.toSorted((a, b) => compare(a, b, draws));

/**
 * The peer with a half-open circuit to probe now, if the draw says so, and always in a panic, which probes end: without probes a peer that was
 * mended would not return while better peers are free. It is probed only with a free slot, and not by a task that it failed at.
 */
function probe(
  { tried, panic }: Demand,
  eligible: readonly Contender[],
  draws: Draws,
  { probeShare = 0 }: Policy,
): Contender | null {
  if (draws.exploration >= probeShare && panic !== true) return null;
  const rested = eligible.filter(
    ({ peer }) => peer.circuit === "half_open" && hasSlot(peer) && !tried.has(peer.peerId),
  );
  return best(rested, draws);
}

/**
 * The new peer to try now, if the draw says so: without exploration nothing would be learned about a peer that ranks
 * behind the known ones. A new peer is tried only with a free slot, and not twice with the same task.
 */
function explore(
  { tried }: Demand,
  eligible: readonly Contender[],
  now: Millis,
  draws: Draws,
  { newcomerShare, newcomerOutcomes }: ExpectedCost,
): Contender | null {
  if (draws.exploration >= newcomerShare || tried.size > 0) return null;
  const newcomers = eligible.filter(
    ({ peer }) =>
      hasSlot(peer) &&
      !isResting(peer) &&
      outcomesKnown(peer.evidence.outcomes, now) < newcomerOutcomes,
  );
  return best(newcomers, draws);
}

/** The nearest of the best peers, when the task asks for nearness and it is known for at least one. */
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

/**
 * The least loaded of the peers that are comparable to the best one; null when that is the best one itself. An idle best
 * peer is never passed over, so a caller with one task at a time keeps its peer.
 */
function leastLoaded(
  eligible: readonly Contender[],
  now: Millis,
  draws: Draws,
  policy: ExpectedCost,
): Contender | null {
  const first = best(eligible, draws);
  const spreading = policy.loadSpreading ?? null;
  if (spreading === null || !isCosted(first) || first.peer.held === 0 || !hasSlot(first.peer))
    return null;
  let least: Contender = first;
  for (const one of eligible) {
    if (one.rank !== first.rank || !isCosted(one)) continue;
    const order = compareLoad(one.peer, least.peer) || compare(one, least, draws);
    if (order < 0 && isComparable(one, first, now, policy, spreading)) least = one;
  }
  return least === first ? null : least;
}

const isCosted = (one: Contender | null): one is Contender & CostedPeer =>
  one !== null && one.cost !== null;

/** Negative when `a` has a smaller share of its slots in use than `b`. Both have slots. */
const compareLoad = (a: Candidate, b: Candidate): number =>
  a.held * usableSlots(b) - b.held * usableSlots(a);
