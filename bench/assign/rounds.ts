import { runInBatches, BATCH } from "./batches.ts";
import { callFor, costLine, costOf, type Cost } from "./load.ts";
import { KIND } from "./peers.ts";
import type { Subjects } from "./subjects.ts";

export const CALLERS = 32;
const BATCHES_TIMEOUT_SECONDS = 120;
/** Batches run this many times faster than single tasks, roughly: enough tasks that they take about one round's time. */
const BATCHES_FASTER = 2;
const WARM_UP_SECONDS = 1;
const WARM_UP_TASKS = 20;

const LOADS = ["bare", "singly", "bullmq_singly", "batches", "bullmq_batches", "one_peer"] as const;
type LoadName = (typeof LOADS)[number];

/** The cost of each load in each round. A load that cannot run here has no rounds. */
export type Rounds = Readonly<Record<LoadName, Cost[]>>;

export interface RoundOptions {
  readonly rounds: number;
  /** Of one load in one round. */
  readonly seconds: number;
  /** In one round, one at a time. */
  readonly latencyTasks: number;
}

/**
 * Runs all loads one after the other, several times, so that a change of the machine's speed affects all of them. Every
 * other round has the reverse order.
 */
export async function runRounds(
  subjects: Subjects,
  { rounds, seconds, latencyTasks }: RoundOptions,
  log: (line: string) => void,
): Promise<Rounds> {
  const costs: Rounds = {
    bare: [],
    singly: [],
    batches: [],
    one_peer: [],
    bullmq_singly: [],
    bullmq_batches: [],
  };
  const latest = new Map<LoadName, number>();
  const runAll = async (names: readonly LoadName[], secondsEach: number, keep: boolean) => {
    for (const name of names) {
      const cost = await runLoad(name, subjects, secondsEach, latest);
      if (cost === null) continue;
      latest.set(name, cost.perSecond);
      log(`  ${costLine(name, cost)}`);
      if (keep) costs[name].push(cost);
    }
  };
  log("warm up");
  await runAll(LOADS, Math.min(WARM_UP_SECONDS, seconds), false);
  await runLatency(subjects, WARM_UP_TASKS);
  subjects.latency.forget();
  for (let round = 1; round <= rounds; round++) {
    log(`round ${round} of ${rounds}`);
    await runAll(round % 2 === 0 ? LOADS.toReversed() : LOADS, seconds, true);
    await runLatency(subjects, latencyTasks);
  }
  return costs;
}

async function runLoad(
  name: LoadName,
  { bare, mesh, onePeer, bullMq }: Subjects,
  seconds: number,
  latest: ReadonlyMap<LoadName, number>,
): Promise<Cost | null> {
  switch (name) {
    case "bare":
      return costOf(bare.server, () =>
        callFor(seconds, CALLERS, () => bare.http.send("POST", "/ledger", "{}")),
      );
    case "singly":
      return costOf(mesh.server, () => callFor(seconds, CALLERS, () => mesh.api.run(KIND)));
    case "one_peer":
      return costOf(onePeer.server, () => callFor(seconds, CALLERS, () => onePeer.api.run(KIND)));
    case "batches": {
      const count = batchedTasks(latest.get("singly"), seconds);
      const load = { ...mesh, count, timeoutSeconds: BATCHES_TIMEOUT_SECONDS };
      return costOf(mesh.server, () => runInBatches(load));
    }
    case "bullmq_singly":
      if (bullMq === null) return null;
      return costOf(bullMq.server, () => callFor(seconds, CALLERS, () => bullMq.client.run()));
    case "bullmq_batches": {
      if (bullMq === null) return null;
      const count = batchedTasks(latest.get("bullmq_singly"), seconds);
      return costOf(bullMq.server, () => bullMq.client.runInBatches(count));
    }
    default:
      return name satisfies never;
  }
}

/** How many tasks to submit in batches, from the rate of single tasks. */
const batchedTasks = (perSecond = BATCH, seconds: number): number =>
  Math.max(2, Math.round((perSecond * seconds * BATCHES_FASTER) / BATCH)) * BATCH;

/** One task in flight, in turn on each server. */
async function runLatency({ latency }: Subjects, tasks: number): Promise<void> {
  for (let n = 0; n < tasks; n++)
    for (const probe of n % 2 === 0 ? latency.probes : latency.probes.toReversed())
      await probe.measure();
}
