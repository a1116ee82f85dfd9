import { liveCells, type Topology } from "./topology.ts";

/**
 * The cells that a cell watches: the one before it in the circle of live cells, and, as long as that one does not answer, also the one
 * before that. So each cell that does not answer is watched by exactly one that does, whichever those are.
 */
export function watchedCells(
  topology: Topology,
  own: number,
  isSilent: (cell: number) => boolean,
): readonly number[] {
  const live = liveCells(topology);
  const before = live.filter((cell) => cell < own).toReversed();
  const behind = live.filter((cell) => cell > own).toReversed();
  const circle = [...before, ...behind];
  const answers = circle.findIndex((cell) => !isSilent(cell));
  return answers === -1 ? circle : circle.slice(0, answers + 1);
}
