import type { Bench } from "./bench.ts";
import { measureLoads } from "./cells/load/measure-loads.ts";
import { measureOneCell } from "./cells/load/one-cell.ts";

const PEERS = 1_000_000;

export const cells: Bench = {
  summary:
    "1, 4, 16 and 64 cells: CPU and messages a task, balance and memory with 1,000,000 peers (times SCALE)",
  async run(log, scale) {
    const oneCell = measureOneCell();
    log(`one cell: ${JSON.stringify(oneCell)}`);
    const loads = await measureLoads(Math.max(2_000, Math.round(PEERS * scale)), log);
    return { ok: oneCell.ok && loads.ok, one_cell: oneCell, loads };
  },
};
