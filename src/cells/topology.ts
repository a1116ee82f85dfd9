import type { Millis } from "../base/clock.ts";
import { bestCell } from "./rendezvous.ts";

/** The largest number of cells. */
export const CELLS_MAX = 64;

/**
 * `active`: has its share of peers and tasks. `draining`: gets no more, and gives away what it has. `removed`: has nothing left; its
 * number may become active again.
 */
export type CellState = "active" | "draining" | "removed";

/** Which cells had peers and idempotency keys before a change. */
interface EarlierPlacement {
  readonly active: readonly number[];
  /** Until then a key that was placed by it may have to be found. */
  readonly until: Millis;
}

/**
 * The cells of a mesh, by their numbers. Cell 0 decides it, and cell 0 always is active. The version grows with every change; every call
 * between a caller and a cell names the version that the caller knows.
 */
export interface Topology {
  readonly version: number;
  readonly cells: readonly CellState[];
  /** The newest first. */
  readonly earlier: readonly EarlierPlacement[];
}

/** A mesh of one cell that has never had more. Nothing of it is stored. */
export const SINGLE: Topology = { version: 0, cells: ["active"], earlier: [] };

/** The numbers of the cells in these states, ascending. */
const cellsIn = ({ cells }: Topology, ...states: readonly CellState[]): readonly number[] =>
  cells.flatMap((state, cell) => (states.includes(state) ? [cell] : []));

/** The cells that get peers and tasks. */
export const activeCells = (topology: Topology): readonly number[] => cellsIn(topology, "active");

/** The cells that may have something: those that are active, and those that drain. */
export const liveCells = (topology: Topology): readonly number[] =>
  cellsIn(topology, "active", "draining");

/** Whether everything is in cell 0, and always was. */
export const isSingle = ({ version }: Topology): boolean => version === 0;

/** The cell to which a key belongs. Keys of peers are their IDs; `placement.ts` has those of everything else. */
export const homeOf = (topology: Topology, key: string): number =>
  topology.cells.length === 1 ? 0 : bestCell(activeCells(topology), key);

/** The other cells to which a key belonged before changes that are not forgotten yet, the newest first. */
export function formerHomesOf(topology: Topology, key: string, now: Millis): readonly number[] {
  const home = homeOf(topology, key);
  const former = topology.earlier
    .filter(({ until }) => now < until)
    .map(({ active }) => bestCell(active, key));
  return [...new Set(former)].filter((cell) => cell !== home);
}

/** The same without removed cells, which have nothing left. */
export function liveFormerHomesOf(topology: Topology, key: string, now: Millis): readonly number[] {
  const live = liveCells(topology);
  return formerHomesOf(topology, key, now).filter((cell) => live.includes(cell));
}

/** Whether as many cells are active as the operator wants. The active ones always are the first. */
export const areAsWanted = ({ cells }: Topology, wanted: number): boolean =>
  cells[wanted - 1] === "active" && cells[wanted] !== "active";

/**
 * The topology once the operator wants this number of cells; the same object if nothing changes. A cell above the number drains, and a
 * cell that drains below it becomes active again.
 *
 * @param keep how long a placement can be needed: the life of an idempotency key
 */
export function withCells(topology: Topology, wanted: number, now: Millis, keep: Millis): Topology {
  const count = Math.max(wanted, topology.cells.length);
  const cells = Array.from({ length: count }, (_, cell): CellState => {
    if (cell < wanted) return "active";
    return topology.cells[cell] === "active" ? "draining" : (topology.cells[cell] ?? "removed");
  });
  return changed(topology, cells, now, keep);
}

/** The topology once a draining cell has nothing left; the same object if the cell does not drain. */
export function withoutCell(topology: Topology, cell: number, now: Millis, keep: Millis): Topology {
  if (topology.cells[cell] !== "draining") return topology;
  const cells = topology.cells.map((state, at) => (at === cell ? "removed" : state));
  return changed(topology, cells, now, keep);
}

function changed(
  topology: Topology,
  cells: readonly CellState[],
  now: Millis,
  keep: Millis,
): Topology {
  const isSame = (state: CellState, at: number) => state === topology.cells[at];
  if (cells.length === topology.cells.length && cells.every(isSame)) return topology;
  const before = activeCells(topology);
  const next: Topology = { ...topology, version: topology.version + 1, cells };
  const after = activeCells(next);
  const isMoved = before.length !== after.length || before.some((cell, at) => cell !== after[at]);
  // Each placement once: the active cells always are the first ones, so there are at most as many as there can be cells.
  const others = topology.earlier.filter(({ active }) => active.length !== before.length);
  const earlier = isMoved ? [{ active: before, until: now + keep }, ...others] : topology.earlier;
  return { ...next, earlier: earlier.filter(({ until }) => now < until) };
}
