import { DEFAULT_POLICY, type ExpectedCost } from "../../src/tasks/policy.ts";
import { qualityRun, type QualityJob } from "../cells/quality/quality-runs.ts";
import { fieldRun, type PolicyName, type WorldName } from "./field/field-runs.ts";
import { figuresOf } from "./figures.ts";
import { muster } from "./muster.ts";
import { POLICY_BEFORE } from "./policy-before.ts";
import {
  goP2p,
  goP2pFiltered,
  leastLatency,
  oracle,
  poindexter,
  random,
  roundRobin,
} from "./rankings.ts";
import { simulateSharedCores } from "./shared-cores.ts";
import { simulate, type MakePolicy } from "./simulate.ts";
import type { Traces } from "./traces.ts";
import { World } from "./world.ts";

/** One run of one policy in one world. */
export type Job = LoadJob | FieldJob | QualityJob;

export interface LoadJob {
  readonly type: "load" | "shared-cores";
  readonly seed: number;
  readonly load: number;
  readonly minutes: number;
  readonly slotsPerCore: number;
  readonly policy: string;
}

export interface FieldJob {
  readonly type: "field";
  readonly seed: number;
  readonly world: WorldName;
  readonly policy: PolicyName;
  /** Other constants of the default policy. */
  readonly tuned: Partial<ExpectedCost>;
}

export const DEFAULT = "default: expected cost";
/** The bar of the shared cores was set when spreading was the only remedy: it compares with the policy of then. */
export const WITHOUT_SPREADING = "earlier default without spreading";
export const ORACLE = "oracle";

const POLICIES: Readonly<Record<string, MakePolicy>> = {
  random,
  "round robin": roundRobin,
  "least latency": leastLatency,
  "go-p2p as built": goP2p,
  "go-p2p filtered": goP2pFiltered,
  "Poindexter 4-D": poindexter,
  "best-score": muster({ name: "best-score" }),
  [WITHOUT_SPREADING]: muster({ ...POLICY_BEFORE, loadSpreading: null }),
  [DEFAULT]: muster(DEFAULT_POLICY),
  [ORACLE]: oracle,
};

/** The figures of a job. */
export function runJob(traces: Traces, job: Job): object {
  if (job.type === "cells") return qualityRun(traces, job);
  if (job.type === "field") return fieldRun(traces, job.seed, job.world, job.policy, job.tuned);
  const { seed, load, minutes, slotsPerCore, policy } = job;
  const world = new World(traces, seed, load, slotsPerCore, minutes * 60_000);
  const make = POLICIES[policy];
  if (make === undefined) throw new Error(`there is no policy ${policy}`);
  return figuresOf((job.type === "load" ? simulate : simulateSharedCores)(world, make));
}
