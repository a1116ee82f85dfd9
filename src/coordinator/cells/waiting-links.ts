import { liveCells } from "../../cells/topology.ts";
import type { WaitingMessages } from "../../registry/cell-messages.ts";
import type { Registry } from "../../registry/registry.ts";

/** The messages that wait for other cells. A removed cell takes none. */
export function waitingLinks({
  cells,
  cellMessages,
}: Pick<Registry, "cells" | "cellMessages">): readonly WaitingMessages[] {
  if (cells.isSingle) return [];
  const live = new Set(liveCells(cells.topology));
  return cellMessages.waiting().filter(({ cell }) => live.has(cell));
}
