/** Attempts at a task that may fail in one cell before it goes on in another one: what fails there may lie in the cell. */
const ATTEMPTS_OF_CELL = 2;

/**
 * After how many failed attempts in a cell a task goes on in another cell of the mesh.
 *
 * @param isPanicking whether most peers of the cell that could take it rest, because they fail
 */
export const attemptsBeforeMove = (isPanicking: boolean): number =>
  isPanicking ? 1 : ATTEMPTS_OF_CELL;
