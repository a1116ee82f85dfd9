import { isBetterElsewhere, type Alternative, type KindDigest } from "../../cells/cell-digest.ts";
import type { Topology } from "../../cells/topology.ts";
import type { CommandAnswer, SentCommand } from "../../contract/commands.ts";
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
}

/** Serves a call, once the cell knows as much of the mesh as the caller, unless the task begins sooner in the caller's other cell. */
export async function serveCall(
  cell: CalledCell,
  { actor, commands, alternative }: CellCall,
): Promise<Served> {
  const waitElsewhere = alternative?.wait ?? null;
  const entered = await cell.enter();
  if (entered !== null && "cells" in entered) return { type: "moved", topology: entered };
  if (entered !== null)
    return waitElsewhere === null
      ? { type: "refused", error: entered }
      : { type: "elsewhere", load: null };
  if (alternative !== undefined && waitElsewhere !== null) {
    const load = cell.loadOf(alternative.kind);
    if (isBetterElsewhere(load, waitElsewhere)) return { type: "elsewhere", load };
  }
  return { type: "ran", answers: await cell.run(actor, commands) };
}
