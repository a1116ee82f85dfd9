import type { ExpectedCost } from "../../../src/tasks/policy.ts";
import { BARS, type MeanFigures } from "./field-bars.ts";
import { RUNS, type PolicyName, type RunFigures, type RunKey } from "./field-runs.ts";
import type { FieldJob } from "../jobs.ts";
import { runJobs } from "../run-jobs.ts";

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
      policies.flatMap((policy) =>
        seeds.map((seed): FieldJob => ({ type: "field", seed, world, policy, tuned })),
      ),
    );
  const means = meansOf(jobs, await runJobs<RunFigures>(jobs));
  for (const [run, of] of Object.entries(means)) log(lineOf(run, of));
  const bars = BARS.filter(({ world }) => isWanted(world)).map(({ world, what, value, atMost }) => {
    const measured = round(value(means));
    return { world, what, measured, atMost, ok: measured <= atMost };
  });
  for (const { world, what, measured, atMost, ok } of bars)
    log(`${ok ? "  " : "! "}${world}: ${what}: ${measured} (at most ${atMost})`);
  return { ok: bars.every(({ ok }) => ok), bars, runs: means };
}

function meansOf(jobs: readonly FieldJob[], figures: readonly RunFigures[]): MeanFigures {
  const runOf = (_: RunFigures, i: number): RunKey =>
    `${jobs[i]?.world}/${jobs[i]?.policy}` as RunKey;
  const means = [...Map.groupBy(figures.entries(), ([i, of]) => runOf(of, i))].map(
    ([run, entries]) => {
      const all = entries.map(([, of]) => of);
      const names = Object.keys(all[0] ?? {}) as (keyof RunFigures)[];
      const mean = (name: keyof RunFigures) =>
        round(all.reduce((sum, one) => sum + (one[name] ?? Number.NaN), 0) / all.length);
      return [run, Object.fromEntries(names.map((name) => [name, mean(name)]))];
    },
  );
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
