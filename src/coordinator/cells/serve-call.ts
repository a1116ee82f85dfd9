import { isBetterElsewhere, type Alternative, type KindDigest } from "../../cells/cell-digest.ts";
import type { Topology } from "../../cells/topology.ts";
import type { CommandAnswer, Output, SentCommand } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";

/** A call of a cell from outside. */
export interface CellCall {
  readonly actor: string;
  readonly commands: readonly SentCommand[];
  /** What the caller could do with the task that it submits instead. */
  readonly alternative?: Alternative | undefined;
}

/** What a cell does with a call. In all cases but `ran` it has run nothing. */
export type Served =
  | { readonly type: "ran"; readonly answers: readonly CommandAnswer[] }
  /** The caller has to ask again, by this topology. */
  | { readonly type: "moved"; readonly topology: Topology }
  | { readonly type: "refused"; readonly error: MusterError }
  /** The task should go to the caller's other cell: because of this load; null: because this cell does not know enough of the mesh yet. */
  | { readonly type: "elsewhere"; readonly load: KindDigest | null };

/** The cell that is called. */
interface CalledCell {
  /** Null if the call may go on; the topology, or an error, if not (`CellNode.enter`). */
  readonly enter: () => Promise<Topology | MusterError | null>;
  /** What the cell has for a kind now. */
  readonly loadOf: (kind: string) => KindDigest;
  readonly run: (
    actor: string,
    commands: readonly SentCommand[],
  ) => Promise<readonly CommandAnswer[]>;
  /** Moves a task that was just accepted to another cell, unless it must stay. */
  readonly handOn: (id: string, to: number) => Promise<unknown>;
}

/**
 * Serves a call, once the cell knows as much of the mesh as the caller. A task that begins sooner in the caller's other cell is not accepted, or,
 * if it has to be accepted here, goes on to that cell.
 */
export async function serveCall(
  cell: CalledCell,
  { actor, commands, alternative }: CellCall,
): Promise<Served> {
  const waitElsewhere = alternative?.wait ?? null;
  const handOnTo = alternative?.handOnTo;
  const entered = await cell.enter();
  if (entered !== null && "cells" in entered) return { type: "moved", topology: entered };
  if (entered !== null)
    return waitElsewhere === null || handOnTo !== undefined
      ? { type: "refused", error: entered }
      : { type: "elsewhere", load: null };
  const hasOther = alternative !== undefined && waitElsewhere !== null;
  const load = hasOther ? cell.loadOf(alternative.kind) : null;
  const better = load !== null && isBetterElsewhere(load, waitElsewhere ?? 0) ? load : null;
  if (better !== null && handOnTo === undefined) return { type: "elsewhere", load: better };
  const answers = await cell.run(actor, commands);
  const accepted = better === null ? null : acceptedBy(commands, answers);
  if (accepted !== null && handOnTo !== undefined) await cell.handOn(accepted, handOnTo);
  return { type: "ran", answers };
}

/** The ID of the task that a submission has made; null if it has made none. */
function acceptedBy(
  [command]: readonly SentCommand[],
  [answer]: readonly CommandAnswer[],
): string | null {
  if (answer?.ok !== true) return null;
  if (command?.name === "enqueue_task") {
    const { id, duplicate } = answer.value as Output<"enqueue_task">;
    return duplicate ? null : id;
  }
  if (command?.name !== "submit_task") return null;
  const { task, duplicate } = answer.value as Output<"submit_task">;
  return duplicate ? null : task.id;
}
