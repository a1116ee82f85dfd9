import { err } from "../../base/result.ts";
import { homeOf } from "../../cells/topology.ts";
import type { CellMessage } from "../../contract/cell-messages.ts";
import { revokeKey } from "../admission/revocation.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { endOwner } from "../tasks/end-owner.ts";
import { placeFault } from "./peer-commands.ts";
import { sendAndAwait } from "./send-message.ts";

/**
 * Bars a key here, and in the cells that may have its record. The caller is answered once they have confirmed it (CE104). Not if the key has got
 * another home while this cell asked them: nobody would fetch the entry, or lift it.
 */
export const barPeer: Handler<"bar_peer"> = (context, { revoke, actor, cells }) => {
  const fault = placeFault(context, "revoke_peer", revoke);
  if (fault !== null) return err(fault);
  const told = [context.registry.cells.own, ...cells];
  const revoked = revokeKey({ ...context, actor }, revoke, told);
  if (!revoked.ok) return revoked;
  for (const cell of cells)
    sendAndAwait(context, cell, { type: "revoke_peer", revoke, actor, told });
  return revoked;
};

/**
 * Another cell has barred a key whose record may be here. If this cell has nothing about the key any more, its home has it: an entry here
 * would stay when the home readmits the key, and bar it again once it moves there.
 */
export function takeRevocation(
  context: Context,
  { revoke, actor, told }: Extract<CellMessage, { type: "revoke_peer" }>,
): void {
  const { cells, peerBundles } = context.registry;
  const isHere = homeOf(cells.topology, revoke.id) === cells.own || peerBundles.has(revoke.id);
  if (isHere) revokeKey({ ...context, actor }, revoke, told);
  else if (revoke.keepTasks !== true) endOwner(context, revoke.id, { told });
}
