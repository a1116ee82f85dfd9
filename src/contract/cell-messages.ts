import type { Topology } from "../cells/topology.ts";

/**
 * A message from one cell to another. It is stored with the transaction that causes it, and sent until it is taken. The messages from one
 * cell to another are taken in their order, each once.
 */
export type CellMessage =
  /** From cell 0: the cells of the mesh have changed. */
  { readonly type: "topology"; readonly topology: Topology };
