import { quotedCommand } from "./command-name.ts";
import { note } from "./output.ts";

const noted = new Set<string>();

/** Says, once for the same cells, that what the command shows or has done is not all. */
export function noteMissingCells(cells: readonly number[]): void {
  const names = cells.join(", ");
  if (noted.has(names)) return;
  noted.add(names);
  const what =
    cells.length === 1
      ? "does not answer: what it has is missing here"
      : "do not answer: what they have is missing here";
  note(
    `warning: ${cellNames(cells)} of the mesh ${what}; ${quotedCommand("cells")} shows the cells; repeat the command later`,
  );
}

/** `cell 2`, `cells 2, 3`. */
export const cellNames = (cells: readonly number[]): string =>
  `${cells.length === 1 ? "cell" : "cells"} ${cells.join(", ")}`;
