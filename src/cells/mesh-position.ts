/**
 * Positions in the logs of a mesh of several cells. Each cell has a log and numbers of its own: a position of the mesh has a number for each
 * cell, in the order of the cells, as in `ID.ID.ID-MARK`. A number of 0, or none, is for a cell of which nothing is known yet: a reader
 * begins with the oldest event that it keeps, so one that comes back after the mesh has grown misses nothing.
 */
export interface MeshPosition {
  readonly numbers: readonly number[];
  /** By which the positions of one mesh differ from those of another. */
  readonly mark: string;
}

/** Reads a position of a valid form; that of a cell has one number. */
export function readMeshPosition(text: string): MeshPosition {
  const [ids = "", mark = ""] = text.split("-");
  return { numbers: ids.split(".").map(Number), mark };
}

export const positionText = ({ numbers, mark }: MeshPosition): string =>
  `${numbers.join(".")}-${mark}`;

export const numberIn = ({ numbers }: MeshPosition, cell: number): number => numbers[cell] ?? 0;

/** The position with another number for a cell. */
export function withNumber(
  { numbers, mark }: MeshPosition,
  cell: number,
  number: number,
): MeshPosition {
  const length = Math.max(numbers.length, cell + 1);
  const changed = Array.from({ length }, (_, at) => (at === cell ? number : (numbers[at] ?? 0)));
  return { numbers: changed, mark };
}

/** The number in a position that a cell has given. */
export const numberOf = (text: string): number => numberIn(readMeshPosition(text), 0);

/** Where a reader with a position of the mesh begins in a cell. Without one, and at the oldest event, it does so in every cell. */
export function afterIn(after: string | null, cell: number): string | null {
  if (after === null || after === OLDEST) return after;
  const position = readMeshPosition(after);
  return positionText({ ...position, numbers: [numberIn(position, cell)] });
}
const OLDEST = "oldest";

/** What a reader has of each cell when it begins. Numbers of another mesh say nothing. */
export function beginning(after: string | null, mark: string): MeshPosition {
  const asked = after === null || after === OLDEST ? null : readMeshPosition(after);
  return asked?.mark === mark ? asked : { numbers: [], mark };
}
