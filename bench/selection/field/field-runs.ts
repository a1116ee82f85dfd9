import { DEFAULT_POLICY, type ExpectedCost } from "../../../src/tasks/policy.ts";
import { POLICY_BEFORE } from "../policy-before.ts";
import type { Traces } from "../traces.ts";
import { avoidanceOf, type Avoidance } from "./field-avoidance.ts";
import { fieldOracle, plainCost } from "./field-baselines.ts";
import { fieldFiguresOf, type FieldFigures } from "./field-figures.ts";
import type { MakeFieldPolicy } from "./field-mesh.ts";
import { NO_FEATURES } from "./field-features.ts";
import { fieldMuster } from "./field-muster.ts";
import { simulateField } from "./field-simulation.ts";
import { BEGINS_AT, fieldWorlds, isPoison, isTroubled, MENDED_AT } from "./field-worlds.ts";
import { FieldWorld } from "./field-world.ts";

/** The price of a failure in the plain expected cost. */
const PLAIN_PRICE_MS = 20_000;

export type PolicyName = "muster" | "before" | "plain" | "oracle";

const policies = (tuned: Partial<ExpectedCost>): Readonly<Record<PolicyName, MakeFieldPolicy>> => ({
  muster: fieldMuster({ ...DEFAULT_POLICY, ...tuned }),
  before: fieldMuster(POLICY_BEFORE, NO_FEATURES),
  plain: plainCost(PLAIN_PRICE_MS),
  oracle: fieldOracle,
});

export type WorldName = keyof ReturnType<typeof fieldWorlds>;

/** Which policies are measured in which world. */
export const RUNS: Readonly<Record<WorldName, readonly PolicyName[]>> = {
  usual: ["muster"],
  "usual-near": ["muster", "oracle"],
  "usual-far": ["muster", "oracle"],
  "idle-near": ["muster", "oracle"],
  "idle-far": ["muster", "oracle"],
  "a-none": ["muster"],
  a: ["muster", "before"],
  "a-near-none": ["muster"],
  "a-near": ["muster", "before"],
  "a-busy-none": ["muster"],
  "a-busy": ["muster", "before"],
  "a-mended": ["muster", "before"],
  "a-kind": ["muster", "before"],
  "b-poison": ["muster", "before"],
  "b-kind-none": ["muster"],
  "b-kind": ["muster", "before"],
  c: ["muster", "plain", "before"],
  "c-mended": ["muster", "before"],
  d: ["muster", "before"],
  e: ["muster", "before"],
  "e-busy": ["muster", "before"],
  f: ["muster", "before"],
  g: ["muster", "plain", "before"],
  h: ["muster", "oracle"],
  "h-unannounced": ["muster", "before"],
  i: ["muster", "before"],
  j: ["muster", "plain", "before"],
};

export type RunFigures = FieldFigures & Partial<Avoidance>;
export type RunKey = `${WorldName}/${PolicyName}`;

/** The tasks that the figures of a world are about; all where it is absent. */
function countedTasks(name: WorldName, world: FieldWorld): ((task: number) => boolean) | undefined {
  const kind = (task: number) => world.kindOf[task];
  if (name === "usual" || name === "b-poison") return (task) => !isPoison(world.seed, task);
  if (name === "b-kind" || name === "b-kind-none") return (task) => kind(task) !== 4;
  return name === "h" || name === "h-unannounced" ? (task) => kind(task) === 1 : undefined;
}

/** The figures of one run. */
export function fieldRun(
  traces: Traces,
  seed: number,
  name: WorldName,
  policy: PolicyName,
  tuned: Partial<ExpectedCost> = {},
): RunFigures {
  const world = new FieldWorld(traces, seed, fieldWorlds(traces, seed)[name]);
  const run = simulateField(world, policies(tuned)[policy]);
  const figures = fieldFiguresOf(run, countedTasks(name, world));
  if (name !== "a-mended" && name !== "c-mended") return figures;
  const troubled = (worker: number) => isTroubled(seed, worker);
  return { ...figures, ...avoidanceOf(world, run, troubled, BEGINS_AT, MENDED_AT) };
}
