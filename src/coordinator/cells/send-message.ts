import type { CellMessage } from "../../contract/cell-messages.ts";
import type { Context } from "../kernel/context.ts";
import { addDueToOutbox } from "../kernel/marks.ts";

/** Sends a message to another cell: it is stored now, and sent until it is taken. Returns its number. */
export function sendToCell(context: Context, cell: number, message: CellMessage): number {
  const seq = context.registry.cellMessages.add(cell, JSON.stringify(message), context.now);
  addDueToOutbox(context, { kind: "send_to_cell", cell });
  return seq;
}

/** Sends a message to another cell. The caller of the command is answered once it is taken, or that this is not confirmed. */
export function sendAndAwait(context: Context, cell: number, message: CellMessage): void {
  const seq = sendToCell(context, cell, message);
  context.effects.push({ type: "await_cell", cell, seq, isRequired: true });
}
