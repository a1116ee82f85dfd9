import { err } from "../src/base/result.ts";
import type { Topology } from "../src/cells/topology.ts";
import { refuseRpcCaller } from "../src/contract/rpc-caller.ts";
import type { CellNode } from "../src/coordinator/cells/cell-node.ts";
import { RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { Cells } from "../src/registry/cells.ts";
import { unspoken } from "./coordinator-errors.ts";
import type { CellAnswer, CellTarget, RpcCommand } from "./rpc.ts";

/** The same refusal of each command. */
export const refused = (commands: readonly unknown[], refusal: MusterError): CellAnswer =>
  commands.map(() => err(refusal));

/** Why commands that arrive by RPC are refused; null if they are not. */
export function refusalOf(
  version: number,
  actor: string,
  commands: readonly Pick<RpcCommand, "name">[],
): MusterError | null {
  if (version !== RPC_VERSION) return unspoken(version);
  for (const { name } of commands) {
    const refusal = refuseRpcCaller(actor, name);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Lets a call into a cell, once the cell knows the topology that its caller knows. Null, or why not (`CellNode.enter`). */
export async function enter(
  node: CellNode,
  { cells, configured }: { readonly cells: Cells; readonly configured: number },
  to: CellTarget,
): Promise<Topology | MusterError | null> {
  // The only cell of a mesh, for a caller who knows nothing else.
  const isOnly = configured === 1 && cells.isSingle;
  return isOnly && to.cell === 0 && (to.topology ?? 0) === 0 ? null : node.enter(to);
}

/** The answer to a call that was not let in. */
export const notLetIn = (entered: Topology | MusterError): CellAnswer => [
  "cells" in entered ? { moved: entered } : err(entered),
];
