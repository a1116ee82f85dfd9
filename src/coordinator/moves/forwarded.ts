import { err, type Result } from "../../base/result.ts";
import { knownCellOfTask } from "../../cells/task-cell.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Registry } from "../../registry/registry.ts";
import type { CellCalls } from "../cells/cell-calls.ts";
import { HOPS_MAX } from "./offers.ts";

/** What is answered while a task is in no cell, because the message that has it was not taken yet. */
export const MOVING: MusterError = {
  code: "unavailable",
  detail: "the task is moving to another cell of the mesh; try again",
  retryAfter: 1,
};

/** Whether an answer says that the task is not in this cell any more. */
export const isMoving = (error: Pick<MusterError, "detail"> | undefined): boolean =>
  error?.detail === MOVING.detail;

/** The cell that a task went to from here; `moving` until that cell has it; null if it has not moved. */
export function holderOf(
  { taskForwards, cellMessages }: Pick<Registry, "taskForwards" | "cellMessages">,
  id: string,
): number | "moving" | null {
  const forward = taskForwards.get(id);
  if (forward === null) return null;
  // Else two cells that each sent it to the other would ask each other in turn.
  return cellMessages.waits(forward.cell, forward.seq) ? "moving" : forward.cell;
}

/**
 * The same for a peer's own task, of which its home need not know: the peer may have submitted it before it came here. Null if the task
 * is here, or if this cell should have it.
 */
export function cellOfOwnTask(registry: Registry, id: string): number | "moving" | null {
  const holder = holderOf(registry, id);
  if (holder !== null || registry.tasks.get(id) !== null) return holder;
  const accepted = knownCellOfTask(registry.cells.topology, id);
  return accepted === registry.cells.own ? null : accepted;
}

type Answer<T> = Promise<Result<T, MusterError>>;

/** A command about a task is answered by the cell that has it. */
export function toHolder<K extends CommandName>(name: K, idOf: (input: Input<K>) => string) {
  return (cell: CellCalls, input: Input<K>, actor: string): (() => Answer<Output<K>>) | null => {
    const holder = holderOf(cell.registry, idOf(input));
    if (holder === null) return null;
    return async () => (holder === "moving" ? err(MOVING) : cell.ask(holder, actor, name, input));
  };
}

/**
 * Asks the cell that has a task, by a command of cells: they are not passed on, so each cell on the way is asked where the task went.
 * `not_found` means that the task was deleted: a task that is between two cells, or a cell that does not answer, must not look like that,
 * because the cell that accepted the task would forget it, and its key would make another one.
 */
export async function askHolder<T>(
  cell: CellCalls,
  id: string,
  ask: (cell: number) => Answer<T>,
): Answer<T> {
  let holder = cellOfOwnTask(cell.registry, id);
  let hasIt: number | null = null;
  // In a mesh that shrinks, a task may move more often.
  for (let asked = 0; typeof holder === "number" && asked <= 2 * HOPS_MAX; asked++) {
    const answer = await ask(holder);
    if (answer.ok || answer.error.code !== "not_found") return answer;
    const found = await cell.ask(holder, cell.self, "find_task", { id });
    if (!found.ok) return found.error.code === "not_found" ? answer : found;
    const { cell: next, moving } = found.value;
    if (moving === true) return err(MOVING);
    // It may have come back there between the two questions. If it has not, the asked cell does not show it to this caller.
    if (next === null && hasIt === holder) return answer;
    hasIt = next === null ? holder : null;
    holder = next ?? holder;
  }
  return err(MOVING);
}
