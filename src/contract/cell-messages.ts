import type { AdmissionCommands } from "./admission.ts";
import type { Topology } from "../cells/topology.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { PayloadOf } from "../protocol/messages.ts";
import type { MovedTask } from "../registry/moved-tasks.ts";

type RevokePeer = AdmissionCommands["revoke_peer"];

/**
 * A message from one cell to another. It is stored with the transaction that causes it, and sent until it is taken. The messages from one
 * cell to another are taken in their order, each once.
 */
export type CellMessage =
  /** From cell 0: the cells of the mesh have changed. */
  | { readonly type: "topology"; readonly topology: Topology }
  /** Peers have arrived that the other cell has handed over. */
  | { readonly type: "peers_arrived"; readonly tokens: readonly string[] }
  /** Bars a key whose record may be there. */
  | { readonly type: "revoke_peer"; readonly revoke: RevokePeer["input"]; readonly actor: string }
  /** To cell 0: a draining cell has nothing left. `version`: of the topology by which it drains. */
  | { readonly type: "drained"; readonly version: number }
  /** Queued tasks that are the other cell's from now on. */
  | { readonly type: "tasks"; readonly tasks: readonly MovedTask[] }
  /** A task that the other cell counts for its concurrency key has ended. */
  | { readonly type: "permit_returned"; readonly taskId: string }
  /** To the home of the peer that submitted it: a task has ended. */
  | { readonly type: "report"; readonly owner: PeerId; readonly shown: PayloadOf<"task_shown"> }
  /** An owner whose tasks have moved may cause nothing any more. `passed`: over how many cells this came. */
  | { readonly type: "end_owner"; readonly key: string; readonly passed: number }
  /** The key of a peer whose tasks have moved was rotated. */
  | { readonly type: "owner_rotated"; readonly from: PeerId; readonly to: PeerId };
