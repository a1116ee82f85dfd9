import type { Millis, Random } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { choose, ranking, type Choice, type Contender, type Draws } from "./assignment.ts";
import { meets } from "./capabilities.ts";
import type { Candidate, Demand, Exclusion } from "./eligibility.ts";
import type { Policy } from "./policy.ts";

/** Candidates that are kept of a choice: more than any rule looks at after the first, and still a small record. */
const CANDIDATES_KEPT = 12;
/** Peers that are kept by name of those that were ruled out; the others are counted. */
const EXCLUDED_KEPT = 32;

/** What a choice was made of, bounded in size, as JSON can hold it. */
export interface StoredChoice {
  readonly at: Millis;
  readonly policy: Policy;
  readonly task: Omit<Demand, "tried" | "refused"> & {
    readonly tried: readonly PeerId[];
    readonly refused: readonly PeerId[];
  };
  readonly draws: Draws;
  readonly chosen: PeerId | null;
  readonly by: Choice["by"];
  /** Peers that could have had the task, and the mean of what they would have cost; null under `best-score`. */
  readonly eligible: number;
  readonly meanCostMs: number | null;
  /** The chosen one and the foremost of the others, the best first. */
  readonly candidates: readonly Candidate[];
  /** How many were ruled out by which rule, and some of them. */
  readonly ruledOut: RuledOut;
  readonly excluded: Choice["excluded"];
}

/** How many peers were ruled out by each rule; among very many, how many were not looked at. */
export type RuledOut = Readonly<Partial<Record<Rule, number>>>;
export type Rule = Exclusion | "not_looked_at";

/** @param unseen those that were no candidates */
export function storeChoice(
  task: Demand,
  choice: Choice,
  now: Millis,
  policy: Policy,
  unseen: RuledOut = {},
): StoredChoice {
  const { peer, by, draws, eligible, excluded } = choice;
  const ranked = ranking(choice).map((contender) => contender.peer);
  const foremost = ranked.slice(0, CANDIDATES_KEPT);
  const candidates =
    peer === null || foremost.includes(peer) ? foremost : [...foremost.slice(0, -1), peer];
  const ruledOut: Partial<Record<Rule, number>> = { ...unseen };
  for (const { rule } of excluded) ruledOut[rule] = (ruledOut[rule] ?? 0) + 1;
  return {
    at: now,
    policy,
    task: { ...task, tried: [...task.tried], refused: [...task.refused] },
    draws,
    chosen: peer?.peerId ?? null,
    by,
    eligible: eligible.length,
    meanCostMs: meanCost(eligible),
    candidates: candidates.map((one) => ({
      ...one,
      capabilities: neededOf(one.capabilities, task.requirements.capabilities),
    })),
    ruledOut,
    excluded: excluded.slice(0, EXCLUDED_KEPT),
  };
}

/** Of a peer's labels those that meet what the task asks for: they alone bear on the choice. */
const neededOf = (labels: readonly string[], wanted: readonly string[]): readonly string[] =>
  labels.filter((label) => wanted.some((one) => meets([label], one)));

/** Makes a stored choice again, from what it was made of. */
export const recompute = ({ task, candidates, at, draws, policy }: StoredChoice): Choice =>
  choose(
    { ...task, tried: new Set(task.tried), refused: new Set(task.refused) },
    candidates,
    at,
    replay(draws),
    policy,
  );

/** The numbers of a choice, in the order in which `choose` draws them. */
function replay({ lot, venture }: Draws): Random {
  const numbers = [lot, venture];
  return () => numbers.shift() ?? 0;
}

function meanCost(eligible: readonly Contender[]): number | null {
  const costs = eligible.flatMap(({ cost }) => (cost === null ? [] : [cost.totalMs]));
  return costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
}

/** An expected cost as a score again: 1 for none, 1/2 for the mean of those that could have had the task. */
export const costScore = (costMs: number, meanCostMs: number): number =>
  meanCostMs > 0 ? 1 / (1 + costMs / meanCostMs) : 0.5;
