import { toHex, fromHex } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { newUuid } from "../protocol/ids.ts";
import { CELLS_MAX, type Topology } from "./topology.ts";

/** The version of a UUID whose bits an application defines (RFC 9562 section 5.8). */
const VERSION_8 = "8";

/** A new task ID, which names the cell that accepted the task: for cell 0 a random UUID, for another one a UUID whose first byte is its number. */
export function newTaskId(randomBytes: RandomBytes, cell: number): string {
  const id = newUuid(randomBytes);
  if (cell === 0) return id;
  return `${toHex(Uint8Array.of(cell))}${id.slice(2, 14)}${VERSION_8}${id.slice(15)}`;
}

/** The number of the cell that accepted the task of this ID. An ID that no cell can have made leads to cell 0, which does not know it. */
export function cellOfTask(id: string): number {
  if (id[14] !== VERSION_8) return 0;
  const cell = fromHex(id.slice(0, 2).toLowerCase())?.[0] ?? 0;
  return cell < CELLS_MAX ? cell : 0;
}

/** The same, for a caller: an ID may name a cell that the mesh never had. To ask such a cell would create it. */
export function knownCellOfTask({ cells }: Topology, id: string): number {
  const cell = cellOfTask(id);
  return cell < cells.length ? cell : 0;
}
