/** The name of a cell's object. The only cell of a mesh has the name that it had before there were cells. */
export const cellObjectName = (cell: number): string =>
  cell === 0 ? "coordinator" : `coordinator:${cell}`;
