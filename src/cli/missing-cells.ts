import { note } from "./output.ts";

const noted = new Set<string>();

/** Says, once for the same cells, that what the command shows or has done is not all. */
export function noteMissingCells(cells: readonly number[]): void {
  const names = cells.join(", ");
  if (noted.has(names)) return;
  noted.add(names);
  const [which, what] =
    cells.length === 1 ? ["cell", "does not answer"] : ["cells", "do not answer"];
  note(
    `warning: ${which} ${names} of the mesh ${what}: their peers and tasks are not in this; repeat the command later`,
  );
}
