import type { AdmissionCommands } from "./admission.ts";
import type { Topology } from "../cells/topology.ts";

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
  | { readonly type: "drained"; readonly version: number };
