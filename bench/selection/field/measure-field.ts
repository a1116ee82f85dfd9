import { Worker } from "node:worker_threads";
import type { ExpectedCost } from "../../../src/tasks/policy.ts";
import { BARS, type MeanFigures } from "./field-bars.ts";
import { RUNS, type PolicyName, type RunFigures, type RunKey } from "./field-runs.ts";
import type { FieldJob } from "./field-worker.ts";

/** Number of threads: the machines that this is measured on have two cores. */
const THREADS = 2;

/** Measures the worlds of the field and compares them with their bars. */
export async function measureField(
  seeds: readonly number[],
  log: (line: string) => void,
  tuned: Partial<ExpectedCost> = {},
  isWanted: (world: string) => boolean = () => true,
) {
  const jobs = (Object.entries(RUNS) as [FieldJob["world"], readonly PolicyName[]][])
    .filter(([world]) => isWanted(world))
    .flatMap(([world, policies]) =>
      policies.flatMap((policy) => seeds.map((seed): FieldJob => ({ seed, world, policy, tuned }))),
    );
  const figures = await runAll(jobs);
  const means = meansOf(figures);
  for (const [run, of] of Object.entries(means)) log(lineOf(run, of));
  const bars = BARS.filter(({ world }) => isWanted(world)).map(({ world, what, value, atMost }) => {
    const measured = round(value(means));
    return { world, what, measured, atMost, ok: measured <= atMost };
  });
  for (const { world, what, measured, atMost, ok } of bars)
    log(`${ok ? "  " : "! "}${world}: ${what}: ${measured} (at most ${atMost})`);
  return { ok: bars.every(({ ok }) => ok), bars, runs: means };
}

/** Runs the jobs on a few threads; the order of the results is that of the jobs. */
async function runAll(jobs: readonly FieldJob[]): Promise<ReadonlyMap<FieldJob, RunFigures>> {
  const results = new Map<FieldJob, RunFigures>();
  const left = jobs.toReversed();
  const work = async () => {
    const worker = new Worker(new URL("field-worker.ts", import.meta.url));
    try {
      for (let job = left.pop(); job !== undefined; job = left.pop())
        results.set(job, await answerTo(worker, job));
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: THREADS }, work));
  return results;
}

const answerTo = (worker: Worker, job: FieldJob): Promise<RunFigures> =>
  new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (figures: RunFigures) => {
      worker.off("error", reject);
      resolve(figures);
    });
    worker.postMessage(job);
  });

function meansOf(figures: ReadonlyMap<FieldJob, RunFigures>): MeanFigures {
  const byRun = Map.groupBy(figures, ([{ world, policy }]) => `${world}/${policy}` as RunKey);
  const means = [...byRun].map(([run, entries]) => {
    const all = entries.map(([, of]) => of);
    const names = Object.keys(all[0] ?? {}) as (keyof RunFigures)[];
    const mean = (name: keyof RunFigures) =>
      round(all.reduce((sum, one) => sum + (one[name] ?? Number.NaN), 0) / all.length);
    return [run, Object.fromEntries(names.map((name) => [name, mean(name)]))];
  });
  return Object.fromEntries(means) as MeanFigures;
}

const lineOf = (run: string, of: RunFigures): string =>
  `${run.padEnd(22)} p50 ${of.p50.toFixed(2)} s, p99 ${of.p99.toFixed(2)} s, mean ${of.mean.toFixed(2)} s,` +
  ` wasted ${of.wasted.toFixed(2)} %, lost ${of.lost.toFixed(3)} %` +
  (of.refusals > 0 ? `, ${of.refusals.toFixed(3)} refusals a task` : "") +
  (of.avoidedAfter === undefined
    ? ""
    : `, avoided after ${of.avoidedAfter.toFixed(1)} s, used again after ${of.usedAgainAfter?.toFixed(0)} s`);

const round = (value: number): number => Math.round(value * 10_000) / 10_000;
