import { DEFAULT_POLICY } from "../src/tasks/policy.ts";
import { Unavailable, type Bench } from "./bench.ts";
import { spread, type RunFigures, type Spread } from "./selection/figures.ts";
import { DEFAULT, ORACLE, type LoadJob } from "./selection/jobs.ts";
import { measureSharedCores } from "./selection/measure-shared-cores.ts";
import { runJobs } from "./selection/run-jobs.ts";
import { hasTraces } from "./selection/traces.ts";

/** The constants were tuned on seeds 1 to 5; the seeds of the benchmark were not used for that. */
const FIRST_SEED = 101;
const SEEDS = 10;
const LOADS = [0.02, 0.5, 0.85];
const WORLD = { type: "load", minutes: 90, slotsPerCore: 1 } as const;

/** Limits at each load: the p99 of the default policy divided by the oracle's, and its failed assignments in percent. */
const BARS: Readonly<Record<number, { readonly times: number; readonly failed: number }>> = {
  0.02: { times: 1.55, failed: 0.4 },
  0.5: { times: 1.6, failed: 1.2 },
};

const POLICIES = [
  "random",
  "round robin",
  "least latency",
  "go-p2p as built",
  "go-p2p filtered",
  "Poindexter 4-D",
  "best-score",
  DEFAULT,
  ORACLE,
];

type Row = Readonly<Record<keyof RunFigures | "timesOracle", Spread>>;

export const selection: Bench = {
  summary: "assignment policies on measured round-trip times, compared with an oracle",
  async run(log, scale) {
    if (!hasTraces()) throw new Unavailable("the folder ../shared/data with the traces is missing");
    const seeds = Array.from(
      { length: Math.max(1, Math.round(SEEDS * Math.min(1, scale))) },
      (_, i) => FIRST_SEED + i,
    );
    const loads = [];
    for (const load of LOADS) {
      const policies = await measureLoad(load, seeds);
      print(load, policies, log);
      loads.push({ load, policies });
    }
    const sharedCores = await measureSharedCores(seeds, log);
    return {
      ok: sharedCores.ok && loads.every(({ load, policies }) => isWithinBar(load, policies)),
      bar: BARS,
      seeds,
      unit: "seconds and percent: mean, minimum and maximum over the seeds",
      constants: DEFAULT_POLICY,
      loads,
      sharedCores,
    };
  },
};

/** Every policy in the worlds of one load. */
async function measureLoad(load: number, seeds: readonly number[]): Promise<Record<string, Row>> {
  const jobs = POLICIES.flatMap((policy) =>
    seeds.map((seed): LoadJob => ({ ...WORLD, load, seed, policy })),
  );
  const figures = await runJobs<RunFigures>(jobs);
  const runsOf = (policy: string) => figures.filter((_, i) => jobs[i]?.policy === policy);
  const ofOracle = runsOf(ORACLE);
  return Object.fromEntries(
    POLICIES.map((name) => {
      const runs = runsOf(name);
      const of = (figure: (run: RunFigures, best: RunFigures) => number) =>
        spread(runs.map((run, i) => figure(run, ofOracle[i] as RunFigures)));
      const row: Row = {
        p50: of(({ p50 }) => p50),
        p99: of(({ p99 }) => p99),
        timesOracle: of(({ p99 }, best) => p99 / best.p99),
        mean: of(({ mean }) => mean),
        failed: of(({ failed }) => failed),
        lost: of(({ lost }) => lost),
        tasksFailed: of(({ tasksFailed }) => tasksFailed),
        largestShare: of(({ largestShare }) => largestShare),
      };
      return [name, row];
    }),
  );
}

function isWithinBar(load: number, policies: Record<string, Row>): boolean {
  const bar = BARS[load];
  const row = policies[DEFAULT];
  return (
    bar === undefined ||
    (row !== undefined && row.timesOracle[0] <= bar.times && row.failed[0] <= bar.failed)
  );
}

function print(load: number, policies: Record<string, Row>, log: (line: string) => void): void {
  log(
    `load ${load * 100} %: p50, p99 (minimum to maximum), p99 relative to the oracle, failed assignments, failed tasks`,
  );
  for (const [name, { p50, p99, timesOracle, failed, tasksFailed }] of Object.entries(policies)) {
    const range = `(${p99[1].toFixed(1)} to ${p99[2].toFixed(1)})`;
    log(
      `  ${name.padEnd(23)} ${p50[0].toFixed(2).padStart(6)} s ${p99[0].toFixed(2).padStart(6)} s ${range.padEnd(15)}` +
        ` ${timesOracle[0].toFixed(2).padStart(6)}  ${failed[0].toFixed(2).padStart(6)} % ${tasksFailed[0].toFixed(2).padStart(6)} %`,
    );
  }
}
