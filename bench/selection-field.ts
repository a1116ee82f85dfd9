import { DEFAULT_POLICY } from "../src/tasks/policy.ts";
import { Unavailable, type Bench } from "./bench.ts";
import { measureField } from "./selection/field/measure-field.ts";
import { hasTraces } from "./selection/traces.ts";

/** The constants were tuned on seeds 1 to 5. */
const FIRST_SEED = 101;
const SEEDS = 10;

export const selectionField: Bench = {
  summary:
    "the worlds of the field (workers that fail at once, broken kinds, outages, bursts): a scale of 0.1 is one seed, about five minutes",
  async run(log, scale) {
    if (!hasTraces()) throw new Unavailable("the folder ../shared/data with the traces is missing");
    const count = Math.max(1, Math.round(SEEDS * Math.min(1, scale)));
    const seeds = Array.from({ length: count }, (_, i) => FIRST_SEED + i);
    return { seeds, constants: DEFAULT_POLICY, ...(await measureField(seeds, log)) };
  },
};
