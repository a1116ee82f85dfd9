import type { Millis, Random } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import { EVERY_KIND, handlesKind } from "../protocol/messages.ts";
import { choose, ranking, type Choice, type Contender, type Draws } from "./assignment.ts";
import { meets } from "./capabilities.ts";
import type { Candidate, Demand, Exclusion } from "./eligibility.ts";
import type { Policy } from "./policy.ts";

/** Number of candidates that a stored choice keeps: more than any rule uses, and still a small record. */
const CANDIDATES_KEPT = 12;
/** Number of excluded peers that are stored by ID. The others are counted. */
const EXCLUDED_KEPT = 32;

/** The inputs of a choice, bounded in size, as JSON. */
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
  /** Number of peers that could have had the task, and the mean of their costs; null under `best-score`. */
  readonly eligible: number;
  readonly meanCostMs: number | null;
  /** The chosen peer and the best of the others, the best first. */
  readonly candidates: readonly Candidate[];
  /** How many peers each rule excluded, and some of them by ID. */
  readonly ruledOut: RuledOut;
  readonly excluded: Choice["excluded"];
}

/** How many peers each rule excluded; in a large mesh also how many were not considered. */
export type RuledOut = Readonly<Partial<Record<Rule, number>>>;
export type Rule = Exclusion | "not_looked_at";

/** @param unseen the peers that were not considered */
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
      kinds: handlesKind(one.kinds, task.kind) ? [task.kind] : [],
    })),
    ruledOut,
    excluded: excluded.slice(0, EXCLUDED_KEPT),
  };
}

/** Those of a peer's labels that meet the task's requirements. Only they matter for the choice. */
const neededOf = (labels: readonly string[], wanted: readonly string[]): readonly string[] =>
  labels.filter((label) => wanted.some((one) => meets([label], one)));

/** What the candidates of a choice lack that was stored before peers announced their kinds. */
const BEFORE_KINDS: Pick<Candidate, "kinds"> = { kinds: [EVERY_KIND] };

/** Recomputes a stored choice from its inputs. */
export const recompute = ({ task, candidates, at, draws, policy }: StoredChoice): Choice =>
  choose(
    { ...task, tried: new Set(task.tried), refused: new Set(task.refused) },
    candidates.map((one) => ({ ...BEFORE_KINDS, ...one })),
    at,
    replay(draws),
    policy,
  );

/** The numbers of a choice, in the order in which `choose` draws them. */
function replay({ tieBreak, exploration }: Draws): Random {
  const numbers = [tieBreak, exploration];
  return () => numbers.shift() ?? 0;
}

function meanCost(eligible: readonly Contender[]): number | null {
  const costs = eligible.flatMap(({ cost }) => (cost === null ? [] : [cost.totalMs]));
  return costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
}

/** An expected cost as a score: 1 for no cost, 1/2 for the mean cost of the peers that could have had the task. */
export const costScore = (costMs: number, meanCostMs: number): number =>
  meanCostMs > 0 ? 1 / (1 + costMs / meanCostMs) : 0.5;
