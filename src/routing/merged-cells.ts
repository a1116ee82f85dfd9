import { activeCells, type Topology } from "../cells/topology.ts";
import type { CellsView, CellView } from "../protocol/http.ts";
import type { Gathered } from "./every-cell.ts";
import type { Network } from "./network.ts";

/** The cells of a mesh, of what each says of itself. */
export function mergedCells(
  { answers }: Gathered<CellsView>,
  { topology }: Pick<Network, "topology">,
): CellsView {
  const said = new Map(
    answers.flatMap(({ value }) => value.cells.map((view) => [view.cell, view] as const)),
  );
  const cells = topology.cells.map((state, cell): CellView => ({
    cell,
    state,
    answers: said.has(cell),
    figures: said.get(cell)?.figures ?? null,
  }));
  // Cell 0 makes the number of cells the topology, so the others may have read the setting later.
  const wanted = answers[0]?.value.wanted ?? activeCells(topology).length;
  const { version } = topology;
  return {
    wanted,
    topology_version: version,
    changing: isChanging(cells, wanted, topology),
    cells,
  };
}

const isChanging = (cells: readonly CellView[], wanted: number, topology: Topology): boolean =>
  wanted !== activeCells(topology).length ||
  cells.some(
    ({ state, figures }) =>
      state === "draining" ||
      (figures !== null &&
        (figures.topology_version < topology.version || figures.moving.cells > 0)),
  );
