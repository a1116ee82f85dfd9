import { knownCellOfTask } from "../cells/task-cell.ts";
import { activeCells, homeOf } from "../cells/topology.ts";
import type { GatewayCommandName, Input } from "../contract/commands.ts";
import type { Network, Route } from "./network.ts";

/** Routes to one cell. */

/** Cell 0, which has what belongs to the whole mesh. */
export const toMesh =
  <K extends GatewayCommandName>(name: K): Route<K> =>
  (network, input) =>
    network.ask(0, name, input);

/** Any cell: what the command needs all of them have. */
export const toAny =
  <K extends GatewayCommandName>(name: K): Route<K> =>
  (network, input) =>
    network.ask(anyCell(network), name, input);

function anyCell({ topology, random }: Network): number {
  const cells = activeCells(topology);
  return cells[Math.floor(random() * cells.length)] ?? 0;
}

/** The cell of a key: a peer's ID, or one of `cells/placement.ts`. */
export const toHome =
  <K extends GatewayCommandName>(name: K, keyOf: (input: Input<K>) => string): Route<K> =>
  (network, input) =>
    network.ask(homeOf(network.topology, keyOf(input)), name, input);

/** The cell that accepted a task. If the task has moved, it asks the one that has it. */
export const toTask =
  <K extends GatewayCommandName>(name: K, idOf: (input: Input<K>) => string): Route<K> =>
  (network, input) =>
    network.ask(knownCellOfTask(network.topology, idOf(input)), name, input);
