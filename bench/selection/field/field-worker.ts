/** A worker thread: measures all runs of one seed after another, as they are asked for. */
import { parentPort } from "node:worker_threads";
import type { ExpectedCost } from "../../../src/tasks/policy.ts";
import { readTraces } from "../traces.ts";
import { fieldRun, type PolicyName } from "./field-runs.ts";

export interface FieldJob {
  readonly seed: number;
  readonly world: Parameters<typeof fieldRun>[2];
  readonly policy: PolicyName;
  readonly tuned: Partial<ExpectedCost>;
}

const traces = readTraces();
parentPort?.on("message", ({ seed, world, policy, tuned }: FieldJob) => {
  if (traces === null) throw new Error("the traces are missing");
  parentPort?.postMessage(fieldRun(traces, seed, world, policy, tuned));
});
