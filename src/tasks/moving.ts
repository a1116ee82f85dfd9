/** Attempts at a task that may fail in one cell before it goes on in another one: what fails there may lie in the cell. */
const ATTEMPTS_OF_CELL = 2;

/**
 * After how many failed attempts a task goes on in another cell of the mesh.
 *
 * @param hops how often it has moved
 * @param isPanicking whether most peers of the cell that could take it rest, because they fail
 */
export const attemptsBeforeMove = (hops: number, isPanicking: boolean): number =>
  (hops + 1) * (isPanicking ? 1 : ATTEMPTS_OF_CELL);
