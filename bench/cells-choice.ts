import { Unavailable, type Bench } from "./bench.ts";
import { measureQuality } from "./cells/quality/measure-quality.ts";
import { hasTraces } from "./selection/traces.ts";

export const cellsChoice: Bench = {
  summary:
    "the choice of peers in a mesh of 4 to 64 cells, compared with one index, in the worlds of the field (cells that are full, down or fail, rare kinds, bursts)",
  async run(log, scale) {
    if (!hasTraces()) throw new Unavailable("the folder ../shared/data with the traces is missing");
    return measureQuality(scale, log);
  },
};
