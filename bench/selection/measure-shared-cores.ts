import { DEFAULT_POLICY } from "../../src/tasks/policy.ts";
import { figuresOf, spread, type RunFigures, type Spread } from "./figures.ts";
import { muster } from "./muster.ts";
import { random, roundRobin } from "./rankings.ts";
import { simulateSharedCores } from "./shared-cores.ts";
import type { MakePolicy } from "./simulate.ts";
import type { Traces } from "./traces.ts";
import { World } from "./world.ts";

const LOADS = [0.02, 0.1];
const SLOTS_PER_CORE = 4;

const DEFAULT = "default: expected cost";
const WITHOUT = "default without spreading";
const POLICIES: Readonly<Record<string, MakePolicy>> = {
  random,
  "round robin": roundRobin,
  "best-score": muster({ name: "best-score" }),
  [WITHOUT]: muster({ ...DEFAULT_POLICY, loadSpreading: null }),
  [DEFAULT]: muster(DEFAULT_POLICY),
};

/** The p99 of the default policy divided by that without spreading, at most, by load. */
const BARS: Readonly<Record<number, number>> = { 0.02: 0.8, 0.1: 0.6 };

type Figures = Readonly<Record<"p50" | "p99" | "mean" | "failed" | "largestShare", Spread>>;

/** Policies where the tasks of a worker share its cores: what spreading the load is worth. */
export function measureSharedCores(
  traces: Traces,
  seeds: readonly number[],
  log: (line: string) => void,
) {
  const loads = LOADS.map((load) => {
    const runs = seeds.map((seed) => {
      const world = new World(traces, seed, load, SLOTS_PER_CORE);
      log(`shared cores, load ${load}, seed ${seed}: ${world.tasks.count} tasks`);
      return Object.fromEntries(
        Object.entries(POLICIES).map(([name, make]) => [
          name,
          figuresOf(simulateSharedCores(world, make)),
        ]),
      );
    });
    const policies = Object.fromEntries(
      Object.keys(POLICIES).map((name) => [name, rowOf(runs.map((run) => run[name]))]),
    );
    print(load, policies, log);
    return { load, policies };
  });
  const ok = loads.every(({ load, policies }) => {
    const times = (policies[DEFAULT]?.p99[0] ?? 0) / (policies[WITHOUT]?.p99[0] ?? 0);
    return times <= (BARS[load] ?? Infinity);
  });
  return { ok, bar: BARS, slotsPerCore: SLOTS_PER_CORE, loads };
}

function rowOf(runs: readonly (RunFigures | undefined)[]): Figures {
  const of = (figure: keyof Figures) => spread(runs.map((run) => run?.[figure] ?? Number.NaN));
  return {
    p50: of("p50"),
    p99: of("p99"),
    mean: of("mean"),
    failed: of("failed"),
    largestShare: of("largestShare"),
  };
}

function print(
  load: number,
  policies: Readonly<Record<string, Figures>>,
  log: (line: string) => void,
): void {
  log(`shared cores, load ${load * 100} %: p50, p99, mean, failed assignments, largest share`);
  for (const [name, { p50, p99, mean, failed, largestShare }] of Object.entries(policies))
    log(
      `  ${name.padEnd(25)} ${p50[0].toFixed(2)} s ${p99[0].toFixed(2)} s (${p99[1].toFixed(1)} to ${p99[2].toFixed(1)})` +
        ` ${mean[0].toFixed(2)} s ${failed[0].toFixed(2)} % ${largestShare[0].toFixed(1)} %`,
    );
}
