import { ok } from "../../base/result.ts";
import type { CellMessage } from "../../contract/cell-messages.ts";
import { dialsAfterChangeElsewhere, dialsAfterForgetting } from "../dialing/dial-lifecycle.ts";
import { addressAdded, addressRemoved } from "../dialing/remote-addresses.ts";
import { expelEpoch } from "../discovery/key-holders.ts";
import { takeConnected, takeDeparted, takeRotation } from "../discovery/take-reports.ts";
import type { Context } from "../kernel/context.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { addToOutbox } from "../kernel/marks.ts";
import { takeRevocation } from "./bar-peer.ts";
import { takeDrained } from "./draining.ts";
import { readmitOwnerHere, rotateOwner, takePermit, takeReport } from "../moves/owners.ts";
import { takeTasks } from "../moves/take-tasks.ts";
import { endMoved } from "../tasks/end-owner.ts";
import { takeFacts } from "./facts.ts";
import { learn } from "./topology.ts";

export const nextMessages: Handler<"next_messages"> = ({ registry }, { to, limit }) =>
  ok({
    from: registry.cells.own,
    messages: registry.cellMessages
      .next(to, limit)
      .map(({ seq, body }) => ({ seq, message: JSON.parse(body) as CellMessage })),
  });

/** A cell has taken messages. What is left, if anything, is sent next. */
export const messagesTaken: Handler<"messages_taken"> = (context, { to, upTo }) => {
  const { registry } = context;
  registry.cellMessages.taken(to, upTo);
  if (to === 0) registry.reportedPeers.removeLeft(upTo);
  const entry = { kind: "send_to_cell", cell: to } as const;
  if (registry.cellMessages.waits(to)) addToOutbox(context, entry);
  else registry.outbox.remove(entry);
  if (registry.alertWatch.found.hasAlerts) registry.alertWatch.changed();
  return done;
};

/** Takes the messages of another cell, each once and in their order. One that can't be taken undoes all of them: they are sent again. */
export const receiveMessages: Handler<"receive_messages"> = (context, { from, messages }) => {
  const { cellMessages } = context.registry;
  let upTo = cellMessages.received(from);
  for (const { seq, message } of messages) {
    if (seq <= upTo) continue;
    take(context, from, message);
    upTo = seq;
  }
  cellMessages.setReceived(from, upTo);
  return ok({ upTo });
};

class UnknownMessage extends Error {
  constructor(message: { readonly type: string }) {
    super(
      `this version of Muster does not know the message ${JSON.stringify(message.type)} of cells`,
    );
  }
}

function take(context: Context, from: number, message: CellMessage): void {
  switch (message.type) {
    case "topology":
      return learn(context, message.topology);
    case "peers_arrived":
      return message.tokens.forEach((token) => context.registry.peerMoves.confirm(token));
    case "revoke_peer":
      return takeRevocation(context, message);
    case "drained":
      return takeDrained(context, from, message.version);
    case "tasks":
      return takeTasks(context, from, message.tasks);
    case "permit_returned":
      return takePermit(context, message);
    case "report":
      return takeReport(context, message);
    case "end_owner":
      return endMoved(context, message);
    case "owner_readmitted":
      return readmitOwnerHere(context, message.key);
    case "owner_rotated":
      return rotateOwner(context, message.from, message.to);
    case "peer_connected":
      return takeConnected(context, from, message.peer);
    case "peer_left":
      return takeDeparted(context, from, message.left);
    case "epoch_expelled":
      return expelEpoch(context, message.epoch);
    case "peer_forgotten":
      return dialsAfterForgetting(context, message.peerId);
    case "peer_rotated":
      return takeRotation(context, message.from, message.to);
    case "admission_changed":
      return dialsAfterChangeElsewhere(context, message.peerId);
    case "dials":
      return context.registry.settings.setAnyDials(message.any);
    case "address_added":
      return addressAdded(context, message);
    case "address_removed":
      return addressRemoved(context, message.removed);
    case "facts":
      return takeFacts(context, message);
    case "audit":
      return context.registry.audit.addMoved(message.entries);
    case "join_key_used":
      return context.registry.joinKeys.forgetGrant(message.keyId, message.peerId);
    default:
      // Of a newer version: it waits, with all that follow, until this cell has that version.
      throw new UnknownMessage(message satisfies never);
  }
}
