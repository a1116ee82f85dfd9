import { CELLS_MAX } from "../cells/topology.ts";

/** Where an act on many items goes on: it goes through one cell after the other. */
export interface SweepPlace {
  /** An act on what may move meanwhile goes through the cells again, until a round changes nothing. */
  readonly round: number;
  /** Whether this round has changed anything. */
  readonly hasChanged: boolean;
  readonly cell: number;
  /** Where it goes on in the cell: the cell's own cursor. */
  readonly inner: string;
}

/** Rounds of one act. What still moves then belongs to a mesh that moves more than the act can follow. */
const ROUNDS_MAX = 4;

export const writeSweepPlace = ({ round, hasChanged, cell, inner }: SweepPlace): string =>
  `s${round}${hasChanged ? "c" : "u"}${cell.toString(16).padStart(2, "0")}.${inner}`;

/** Reads what `writeSweepPlace` has written; null if it has not. */
export function readSweepPlace(cursor: string): SweepPlace | null {
  const [, round, changed, cell, inner] =
    /^s(\d)([cu])([0-9a-f]{2})\.([0-9a-f-]{0,50})$/.exec(cursor) ?? [];
  if (round === undefined || cell === undefined || inner === undefined) return null;
  const place = {
    round: Number(round),
    hasChanged: changed === "c",
    cell: Number.parseInt(cell, 16),
    inner,
  };
  return place.round < ROUNDS_MAX && place.cell < CELLS_MAX ? place : null;
}

/** A place in the next cell; null if this was the last one of the last round. */
export function nextInSweep(
  { round, hasChanged, cell }: SweepPlace,
  cells: readonly number[],
  { repeats, start }: { readonly repeats: boolean; readonly start: string },
): SweepPlace | null {
  const next = cells.find((one) => one > cell);
  if (next !== undefined) return { round, hasChanged, cell: next, inner: start };
  const [first] = cells;
  const isOver = !repeats || !hasChanged || cells.length === 1 || round + 1 === ROUNDS_MAX;
  return isOver || first === undefined
    ? null
    : { round: round + 1, hasChanged: false, cell: first, inner: start };
}
