import { rankedCells } from "./rendezvous.ts";
import { activeCells, type Topology } from "./topology.ts";

/**
 * A cell's share of a limit of the whole mesh. The shares of all active cells sum to the limit: what does not divide goes to the cells
 * that rank first for the limit's key, so a limit below the number of cells is held by as many cells. A cell that is not active has none.
 */
export function shareOfLimit(
  topology: Topology,
  cell: number,
  { key, limit }: { readonly key: string; readonly limit: number },
): number {
  if (topology.cells.length === 1) return limit;
  const active = activeCells(topology);
  if (!active.includes(cell)) return 0;
  const even = Math.floor(limit / active.length);
  const rest = limit - even * active.length;
  return even + Number(rest > 0 && rankedCells(active, key).indexOf(cell) < rest);
}
