import type { Topology } from "../cells/topology.ts";
import type { CellMessage } from "./cell-messages.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

/** What cells say to each other (docs/decisions/122-cells.md). A mesh of one cell sends none of these. */
export interface CellCommands {
  /** Messages of another cell, in their order. Those that have arrived before are left out. The answer has the number of the last one taken. */
  receive_messages: {
    caller: "cell";
    input: { readonly from: number; readonly messages: readonly NumberedMessage[] };
    output: { readonly upTo: number };
  };
  /** The topology, from cell 0. */
  get_topology: { caller: "cell"; input: Empty; output: { readonly topology: Topology } };

  /** The cell learns its number and the topology, before its first other command. */
  learn_topology: {
    caller: "mesh";
    input: { readonly own: number; readonly topology: Topology };
    output: Empty;
  };
  /** The next messages for a cell, up to a number of bytes. */
  next_messages: {
    caller: "mesh";
    input: { readonly to: number };
    output: { readonly from: number; readonly messages: readonly NumberedMessage[] };
  };
  /** A cell has taken messages. */
  messages_taken: {
    caller: "mesh";
    input: { readonly to: number; readonly upTo: number };
    output: Empty;
  };
}

/** A message with its number among those from one cell to another, which only grows. */
export interface NumberedMessage {
  readonly seq: number;
  readonly message: CellMessage;
}

export const CELL_CALLERS: CallersOf<CellCommands> = {
  receive_messages: "cell",
  get_topology: "cell",
  learn_topology: "mesh",
  next_messages: "mesh",
  messages_taken: "mesh",
};
