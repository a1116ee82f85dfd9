import type { CellsView } from "../protocol/http.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

/** What operators see of the cells. */
export interface CellFigureCommands {
  /** A cell answers with itself alone; the gateway merges the answers. */
  list_cells: { caller: "gateway"; input: Empty; output: CellsView };
  /** Whether a cell answers. */
  check_ready: {
    caller: "gateway";
    input: Empty;
    output: { readonly missing_cells?: number[] };
  };
}

export const CELL_FIGURE_CALLERS: CallersOf<CellFigureCommands> = {
  list_cells: "gateway",
  check_ready: "gateway",
};
