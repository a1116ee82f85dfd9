import { DEFAULT_POLICY } from "../src/tasks/policy.ts";
import { Unavailable, type Bench } from "./bench.ts";
import { figuresOf, spread, type RunFigures, type Spread } from "./selection/figures.ts";
import { measureSharedCores } from "./selection/measure-shared-cores.ts";
import { muster } from "./selection/muster.ts";
import {
  goP2p,
  goP2pFiltered,
  leastLatency,
  oracle,
  poindexter,
  random,
  roundRobin,
} from "./selection/rankings.ts";
import { simulate, type MakePolicy } from "./selection/simulate.ts";
import { readTraces } from "./selection/traces.ts";
import { World } from "./selection/world.ts";

/** The constants were tuned on seeds 1 to 5; the seeds of the benchmark were not used for that. */
const FIRST_SEED = 101;
const SEEDS = 10;
const LOADS = [0.02, 0.5, 0.85];

/** Limits at each load: the p99 of the default policy divided by the oracle's, and its failed assignments in percent. */
const BARS: Readonly<Record<number, { readonly times: number; readonly failed: number }>> = {
  0.02: { times: 1.55, failed: 0.4 },
  0.5: { times: 1.6, failed: 1.2 },
};

const DEFAULT = "default: expected cost";
const ORACLE = "oracle";
const POLICIES: Readonly<Record<string, MakePolicy>> = {
  random,
  "round robin": roundRobin,
  "least latency": leastLatency,
  "go-p2p as built": goP2p,
  "go-p2p filtered": goP2pFiltered,
  "Poindexter 4-D": poindexter,
  "best-score": muster({ name: "best-score" }),
  [DEFAULT]: muster(DEFAULT_POLICY),
  [ORACLE]: oracle,
};

type Row = Readonly<Record<keyof RunFigures | "timesOracle", Spread>>;

export const selection: Bench = {
  summary: "assignment policies on measured round-trip times, compared with an oracle",
  async run(log, scale) {
    const traces = readTraces();
    if (traces === null)
      throw new Unavailable("the folder ../shared/data with the traces is missing");
    const seeds = Array.from(
      { length: Math.max(1, Math.round(SEEDS * Math.min(1, scale))) },
      (_, i) => FIRST_SEED + i,
    );
    const loads = LOADS.map((load) => {
      const runs = seeds.map((seed) => {
        const world = new World(traces, seed, load);
        log(`load ${load}, seed ${seed}: ${world.tasks.count} tasks`);
        return Object.fromEntries(
          Object.entries(POLICIES).map(([name, make]) => [name, figuresOf(simulate(world, make))]),
        );
      });
      return { load, policies: table(runs) };
    });
    for (const { load, policies } of loads) print(load, policies, log);
    const sharedCores = measureSharedCores(traces, seeds, log);
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

function table(runs: readonly Record<string, RunFigures>[]): Record<string, Row> {
  return Object.fromEntries(
    Object.keys(POLICIES).map((name) => {
      const of = (figure: (run: RunFigures, best: RunFigures) => number) =>
        spread(runs.map((run) => figure(run[name] as RunFigures, run[ORACLE] as RunFigures)));
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
