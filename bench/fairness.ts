import type { Bench } from "./bench.ts";
import { runFlood, type FloodRun } from "./fairness/flood.ts";

const OWNERS = 100;
const FLOOD = 9_000;
const SECONDS = 600;
const SEEDS = [101, 102, 103];
const JAIN_BAR = 0.99;
const QUIET_BAR = 2;
/** The cost of an assignment with a long queue may be this many times that with a short one. */
const FLAT_BAR = 2;

export const fairness: Bench = {
  summary:
    "100 owners, one of which floods: Jain's index of completed work, the wait of a quiet owner's lone task, the cost of an assignment",
  run(log, scale) {
    const seconds = Math.max(120, Math.round(SECONDS * scale));
    const runs = SEEDS.map((seed) => {
      const run = runFlood({ seed, owners: OWNERS, flood: FLOOD, seconds });
      log(`seed ${seed}: ${JSON.stringify(run)}`);
      return run;
    });
    const short = runFlood({ seed: 101, owners: OWNERS, flood: 300, seconds });
    const long = runs[0] as FloodRun;
    const worst = {
      jain: Math.min(...runs.map(({ jain }) => jain)),
      jain_by_weight: Math.min(...runs.map(({ jainByWeight }) => jainByWeight)),
      quiet_wait: Math.max(...runs.map(({ quietWaitMax }) => quietWaitMax)),
      times_short_queue: long.microsPerTask / short.microsPerTask,
    };
    const ok =
      worst.jain >= JAIN_BAR &&
      worst.jain_by_weight >= JAIN_BAR &&
      worst.quiet_wait <= QUIET_BAR &&
      worst.times_short_queue <= FLAT_BAR;
    return Promise.resolve({
      ok,
      bar: `Jain's index at least ${JAIN_BAR}, also of work by weight; a quiet owner's lone task waits at most ${QUIET_BAR} service times; an assignment with ${FLOOD} queued tasks of one owner costs at most ${FLAT_BAR} times that with 300`,
      owners: OWNERS,
      flood: FLOOD,
      simulated_seconds: seconds,
      worst,
      runs,
      short_queue: short,
    });
  },
};
