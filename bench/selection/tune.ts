/**
 * `node bench/selection/tune.ts '[{"hysteresis": 0.1}]' [LOADS] [SEEDS]`: measures the default policy with other
 * constants, by default on seeds 1 to 5, so that the constants are not tuned on the seeds of the benchmark.
 */
import { DEFAULT_POLICY, type ExpectedCost } from "../../src/tasks/policy.ts";
import { figuresOf, spread } from "./figures.ts";
import { muster } from "./muster.ts";
import { oracle } from "./rankings.ts";
import { simulate } from "./simulate.ts";
import { readTraces } from "./traces.ts";
import { World } from "./world.ts";

const [variants = "[{}]", loads = "0.02,0.5", seeds = "1,2,3,4,5"] = process.argv.slice(2);
const traces = readTraces();
if (traces === null) {
  console.error("the folder ../shared/data with the traces is missing");
  process.exit(2);
}
for (const load of loads.split(",").map(Number)) {
  const worlds = seeds.split(",").map((seed) => new World(traces, Number(seed), load));
  const best = worlds.map((world) => figuresOf(simulate(world, oracle)).p99);
  for (const variant of JSON.parse(variants) as Partial<ExpectedCost>[]) {
    const make = muster({ ...DEFAULT_POLICY, ...variant });
    const runs = worlds.map((world) => figuresOf(simulate(world, make)));
    const times = spread(runs.map(({ p99 }, i) => p99 / (best[i] ?? Number.NaN)));
    const failed = spread(runs.map((run) => run.failed));
    console.log(
      load,
      "p99 relative to the oracle",
      times,
      "failed %",
      failed,
      JSON.stringify(variant),
    );
  }
}
