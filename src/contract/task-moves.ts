import type { RetryTask } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { PayloadOf } from "../protocol/messages.ts";
import type { Shape } from "../registry/waiting-tasks.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

/** How queued tasks move from one cell to another, and how they are found there. A mesh of one cell sends none of these. */
export interface TaskMoveCommands {
  /** How many tasks the cell would take now. Nothing is reserved. */
  ask_room: {
    caller: "cell";
    input: { readonly offers: readonly AskedRoom[] };
    output: {
      /** One for each offer. */
      readonly rooms: readonly Room[];
      /** Tasks that are queued here. */
      readonly waiting: number;
    };
  };
  /** Where a task is: in this cell (null), or in another one. `moving`: that one may not have it yet. Refused if it was never here. */
  find_task: {
    caller: "cell";
    input: { readonly id: string };
    output: { readonly cell: number | null; readonly moving?: boolean };
  };
  /** What a peer asks over its session about a task that it submitted. */
  own_task: {
    caller: "cell";
    input: {
      readonly act: "show" | "cancel" | "retry";
      readonly id: string;
      readonly owner: PeerId;
      readonly options: RetryTask;
    };
    output: PayloadOf<"task_shown">;
  };

  /** The tasks that should be in another cell. */
  list_moves: { caller: "mesh"; input: Empty; output: { readonly offers: readonly MoveOffer[] } };
  /** Moves queued tasks to another cell, and answers how many. */
  move_tasks: {
    caller: "mesh";
    input: { readonly to: number; readonly offer: MoveOffer; readonly limit: number };
    output: { readonly moved: number };
  };
  /** Moves a task that was just accepted, if it is queued and need not stay, to the cell where it begins sooner. */
  hand_on_task: {
    caller: "mesh";
    input: { readonly id: string; readonly to: number };
    output: { readonly moved: number };
  };
  /** A task that has moved was put back into the queue: where it went is remembered for longer. */
  renew_forward: { caller: "mesh"; input: { readonly id: string }; output: Empty };
  /** A task that has moved was deleted. */
  forget_forward: { caller: "mesh"; input: { readonly id: string }; output: Empty };
}

export const TASK_MOVE_CALLERS: CallersOf<TaskMoveCommands> = {
  ask_room: "cell",
  find_task: "cell",
  own_task: "cell",
  list_moves: "mesh",
  move_tasks: "mesh",
  hand_on_task: "mesh",
  renew_forward: "mesh",
  forget_forward: "mesh",
};

/** Tasks of one owner and shape, and how many there are. */
export interface AskedRoom {
  readonly shape: Shape;
  readonly owner: string;
  readonly count: number;
}

export interface Room {
  /** How many of them could begin now. */
  readonly places: number;
  /** How many may be queued, because a connected peer could take them once it has room: no more than the owner may have queued. */
  readonly queue: number;
}

/**
 * Why tasks should be in another cell. `placed`: they name a peer or have a concurrency key that belongs there. `draining`: this cell gives
 * everything away. `unable`: nobody here can take them. `full`: nobody here has room, or a limit holds them. `excluded`: those that have room here have
 * refused them or failed at them. `failed`: they failed so often here that another cell should try.
 */
export type MoveReason = "placed" | "draining" | "unable" | "full" | "excluded" | "failed";

export interface MoveOffer extends AskedRoom {
  readonly reason: MoveReason;
  /** The cell that they belong to; null: any that takes them. */
  readonly to: number | null;
}
