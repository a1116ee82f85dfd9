import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import { homeOf } from "../../cells/topology.ts";
import type { MovedPeer, PulledPage } from "../../contract/cells.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { SessionFault } from "../../protocol/errors.ts";
import { endUnlessQualified } from "../admission/membership.ts";
import { noteArrival } from "../discovery/arrivals.ts";
import type { Context } from "../kernel/context.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { addToOutbox, markWorkAvailable } from "../kernel/marks.ts";
import { applyPeerEvent } from "../peers/lifecycle.ts";
import { endSession, savePeer } from "../peers/scored-peers.ts";
import { sendToCell } from "./send-message.ts";

/** How long after a pass the cell looks for peers again that were busy. */
const NEXT_PASS: Millis = 5 * SECOND;
/** How long an arrival is remembered: longer than any answer of another cell can be under way. */
const ARRIVALS_KEPT: Millis = 10 * MINUTE;

/** Takes peers that another cell has handed over, each departure once (CE101), and confirms it. */
export const importPeers: Handler<"import_peers"> = (context, { from, peers, page }) => {
  const { registry, now } = context;
  const own = peers.filter(
    ({ peerId }) => homeOf(registry.cells.topology, peerId) === registry.cells.own,
  );
  for (const peer of own) {
    if (registry.peerMoves.hasArrived(peer.token)) continue;
    registry.peerMoves.arrive(peer.token, peer.peerId, from, now);
    takeIn(context, peer);
  }
  if (own.length > 0) {
    const tokens = own.map(({ token }) => token);
    // A cell takes back what has left it if it becomes the home again.
    if (from !== registry.cells.own) sendToCell(context, from, { type: "peers_arrived", tokens });
    markWorkAvailable(context);
  }
  registry.peerMoves.pruneArrived(now - ARRIVALS_KEPT);
  registry.peerMoves.pruneSources(now);
  if (page !== undefined) notePage(context, from, page);
  return done;
};

function takeIn(context: Context, { peerId, rows, ends }: MovedPeer): void {
  const { registry, now } = context;
  // The peer has come back before its last departure from here was confirmed.
  const departed = registry.peerMoves.departed(peerId);
  if (departed !== null) registry.peerMoves.confirm(departed.token);
  registry.peerBundles.add(peerId, rows);
  for (const { to, fault } of ends)
    addToOutbox(context, { kind: "end_session", to, fault }, now + SECOND);
  noteArrival(context, peerId);
  const peer = registry.peers.get(peerId);
  if (peer === null) return;
  if (registry.denylist.reasonOf(peerId) === "revoked" && peer.state !== "revoked") {
    endSession(context, peer, REVOKED);
    applyPeerEvent(context, peer, "revoked", { reason: REVOKED.detail });
    return;
  }
  if (peer.scheduling.leaving || peer.held > 0)
    savePeer(context, {
      ...peer,
      held: registry.tasks.heldBy(peerId).length,
      scheduling: { ...peer.scheduling, leaving: false },
    });
  const settled = registry.peers.get(peerId);
  if (settled === null || !isConnected(settled.state)) return;
  // The rules of admission may have become stricter while it was in no cell.
  endUnlessQualified(context, settled);
  // Its record may not have been published before it left.
  registry.outbox.addNoLater({ kind: "publish", peerId }, now + MINUTE);
}

const REVOKED = { code: "revoked", detail: "this key was revoked" } as const satisfies SessionFault;

/** Notes how far a pass has come, and when the next page is fetched. */
function notePage(context: Context, cell: number, { version, next, left }: PulledPage): void {
  const { peerMoves, outbox, cells } = context.registry;
  const before = peerMoves.pull(cell);
  if (cells.topology.version !== version || before === null) return;
  const all = before.left + left;
  const entry = { kind: "pull_peers", cell } as const;
  if (next !== null) {
    peerMoves.setPull({ ...before, after: next, left: all });
    addToOutbox(context, entry);
    return;
  }
  const isDone = all === 0;
  peerMoves.setPull({ ...before, after: null, left: 0, leftBefore: all, isDone });
  if (isDone) outbox.remove(entry);
  else addToOutbox(context, entry, context.now + NEXT_PASS);
}
