import type { CellMessage } from "../../contract/cell-messages.ts";
import { homeOf, liveCells } from "../../cells/topology.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import { DIAL_TIME_SLICE } from "../../protocol/constants.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { RemotePeer } from "../../registry/remote-peers.ts";
import { sendToCell } from "../cells/send-message.ts";
import type { Context } from "../kernel/context.ts";

/** What cell 0, which dials, knows of peers of other cells, and what the cells tell each other about dials. */

/** In cell 0: the connected peers of other cells whose dialed session has lasted its turn, the longest first. They may be busy. */
export const pastTurnElsewhere = ({ registry, now }: Context): readonly RemotePeer[] =>
  registry.cells.isSingle
    ? []
    : registry.dials.connectedBefore(now - DIAL_TIME_SLICE).flatMap(({ peerId }) => {
        const remote = peerId === null ? null : connectedElsewhere(registry, peerId);
        return remote === null ? [] : [remote];
      });

/** Whether a peer has a session in any cell. */
export function isConnectedAnywhere({ registry }: Context, peerId: PeerId): boolean {
  const peer = registry.peers.get(peerId);
  return (
    (peer !== null && isConnected(peer.state)) || connectedElsewhere(registry, peerId) !== null
  );
}

export function connectedElsewhere(
  { cells, remotePeers }: Context["registry"],
  peerId: PeerId,
): RemotePeer | null {
  const remote = cells.isSingle ? null : remotePeers.get(peerId);
  return remote?.endedAt === null ? remote : null;
}

/** Whether a key belongs to this cell, which then knows whether it would be admitted. */
export const isOwnKey = ({ registry: { cells } }: Context, peerId: PeerId): boolean =>
  cells.isSingle || homeOf(cells.topology, peerId) === cells.own;

/** In cell 0: whether there is any address has changed. Without one, the other cells tell nothing that only dials need. */
export function announceDials(context: Context): void {
  const { cells, dials } = context.registry;
  const any = dials.count() > 0;
  for (const cell of liveCells(cells.topology))
    if (cell !== 0) sendToCell(context, cell, { type: "dials", any });
}

/** In another cell: tells cell 0 what has happened to a peer, if it has any address. */
export function tellDials(context: Context, message: CellMessage): void {
  if (context.registry.settings.anyDials()) sendToCell(context, 0, message);
}
