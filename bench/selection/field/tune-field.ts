/**
 * `node bench/selection/field/tune-field.ts [WORLDS] [SEEDS] [CONSTANTS]`: measures the worlds of the field, by default on
 * seeds 1 to 5, with other constants of the policy, e.g. `'{"probeShare": 0.01}'`.
 */
import type { ExpectedCost } from "../../../src/tasks/policy.ts";
import { measureField } from "./measure-field.ts";

const [worlds = "", seeds = "1,2,3,4,5", constants = "{}"] = process.argv.slice(2);
const wanted = new Set(worlds.split(",").filter((world) => world !== ""));
await measureField(
  seeds.split(",").map(Number),
  (line) => console.log(line),
  JSON.parse(constants) as Partial<ExpectedCost>,
  (world) => wanted.size === 0 || wanted.has(world),
);
