import { spread, type RunFigures, type Spread } from "./figures.ts";
import { DEFAULT, WITHOUT_SPREADING, type Job } from "./jobs.ts";
import { runJobs } from "./run-jobs.ts";

const LOADS = [0.02, 0.1];
const SLOTS_PER_CORE = 4;

const WORLD = { type: "shared-cores", minutes: 90, slotsPerCore: SLOTS_PER_CORE } as const;

const POLICIES = ["random", "round robin", "best-score", WITHOUT_SPREADING, DEFAULT];

/** The p99 of the default policy divided by that without spreading, at most, by load. */
const BARS: Readonly<Record<number, number>> = { 0.02: 0.8, 0.1: 0.6 };

type Figures = Readonly<Record<"p50" | "p99" | "mean" | "failed" | "largestShare", Spread>>;

/** Policies where the tasks of a worker share its cores: what spreading the load is worth. */
export async function measureSharedCores(seeds: readonly number[], log: (line: string) => void) {
  const loads = await Promise.all(
    LOADS.map(async (load) => {
      const jobs = POLICIES.flatMap((policy) =>
        seeds.map((seed): Job => ({ ...WORLD, seed, load, policy })),
      );
      const figures = await runJobs<RunFigures>(jobs);
      const policies = Object.fromEntries(
        POLICIES.map((name, i) => [
          name,
          rowOf(figures.slice(i * seeds.length, (i + 1) * seeds.length)),
        ]),
      );
      return { load, policies };
    }),
  );
  for (const { load, policies } of loads) print(load, policies, log);
  const ok = loads.every(({ load, policies }) => {
    const times = (policies[DEFAULT]?.p99[0] ?? 0) / (policies[WITHOUT_SPREADING]?.p99[0] ?? 0);
    return times <= (BARS[load] ?? Infinity);
  });
  return { ok, bar: BARS, slotsPerCore: SLOTS_PER_CORE, loads };
}

function rowOf(runs: readonly RunFigures[]): Figures {
  const of = (figure: keyof Figures) => spread(runs.map((run) => run[figure]));
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
