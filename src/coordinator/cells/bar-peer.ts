import type { AdmissionCommands } from "../../contract/admission.ts";
import { revokePeer } from "../admission/revocation.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { sendAndAwait } from "./send-message.ts";

/** Bars a key here, and in the cells that may have its record. The caller is answered once they have confirmed it (CE104). */
export const barPeer: Handler<"bar_peer"> = (context, { revoke, actor, cells }) => {
  const revoked = revokePeer({ ...context, actor }, revoke);
  if (!revoked.ok) return revoked;
  for (const cell of cells) sendAndAwait(context, cell, { type: "revoke_peer", revoke, actor });
  return revoked;
};

/** Another cell has barred a key whose record may be here. */
export function takeRevocation(
  context: Context,
  revoke: AdmissionCommands["revoke_peer"]["input"],
  actor: string,
): void {
  revokePeer({ ...context, actor }, revoke);
}
