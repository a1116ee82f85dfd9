import { z } from "zod";
import { readDecimal } from "../src/base/number-text.ts";
import { areWeights, FACTORS, WEIGHTS, type Weights } from "../src/scoring/score.ts";
import { BEST_SCORE, DEFAULT_POLICY, type Policy } from "../src/tasks/policy.ts";
import { share } from "./number-variables.ts";

/** The variables of scoring and assignment. */
export const SelectionVariables = {
  SELECTION_POLICY: z
    .enum(["expected-cost", "best-score"], { error: "is neither expected-cost nor best-score" })
    .default(DEFAULT_POLICY.name),
  SHARE_MAX: share.default(DEFAULT_POLICY.shareMax),
  NEWCOMER_SHARE: share.default(DEFAULT_POLICY.newcomerShare),
  SCORE_WEIGHTS: z
    .string()
    .default("")
    .transform((text, context): Weights => {
      const weights = text === "" ? WEIGHTS : readWeights(text);
      if (weights !== null && areWeights(weights)) return weights;
      context.addIssue(
        "is not latency=N,reliability=N,hops=N,distance=N with numbers from 0 that sum to 1",
      );
      return z.NEVER;
    }),
};

/** `latency=0.35,reliability=0.35,hops=0.2,distance=0.1`, in any order, each once. */
function readWeights(text: string): Weights | null {
  const pairs = text.split(",").map((pair) => pair.trim().split("="));
  const given = new Map(
    pairs.map(([name = "", value = ""]) => [name, readDecimal(value) ?? Number.NaN]),
  );
  if (pairs.length !== FACTORS.length || !FACTORS.every((factor) => given.has(factor))) return null;
  const of = (factor: keyof Weights): number => given.get(factor) ?? Number.NaN;
  return {
    latency: of("latency"),
    reliability: of("reliability"),
    hops: of("hops"),
    distance: of("distance"),
  };
}

interface Selected {
  readonly SELECTION_POLICY: Policy["name"];
  readonly SHARE_MAX: number;
  readonly NEWCOMER_SHARE: number;
}

export const readPolicy = ({ SELECTION_POLICY, SHARE_MAX, NEWCOMER_SHARE }: Selected): Policy =>
  SELECTION_POLICY === "best-score"
    ? BEST_SCORE
    : { ...DEFAULT_POLICY, shareMax: SHARE_MAX, newcomerShare: NEWCOMER_SHARE };
