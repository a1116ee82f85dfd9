import { BLOB_GRACE_PERIOD } from "../../protocol/constants.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Context } from "../kernel/context.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { scheduleCopyRemoval } from "./copies.ts";
import { hideRareMetadata } from "./public-metadata.ts";
import { addToOutbox } from "../kernel/marks.ts";
import { departed } from "./report-peers.ts";

/**
 * Withdraws a peer from discovery: its pointers at once, its blobs by the outbox. A peer that may reconnect soon
 * (`lingers`) keeps its blob for the grace period. Another cell than cell 0 tells it.
 */
export function withdraw(context: Context, peerId: PeerId, lingers = false): void {
  const { cells, remotePeers } = context.registry;
  if (cells.own !== 0) return departed(context, peerId, lingers);
  // It may have been a peer of another cell before.
  if (!cells.isSingle) remotePeers.remove(peerId);
  withdrawPointers(context, peerId, lingers);
}

/** The same in cell 0, which has the pointers of all cells. */
export function withdrawPointers(context: Context, peerId: PeerId, lingers: boolean): void {
  const { registry, now } = context;
  registry.outbox.remove({ kind: "publish", peerId });
  for (const pointer of registry.pointers.ofPeer(peerId)) {
    const due = lingers ? now + BLOB_GRACE_PERIOD : now;
    const owed = registry.outbox.dueAt({ kind: "delete_blob", blobId: pointer.blobId });
    if (pointer.state !== "removed" || (owed !== null && owed > due))
      addToOutbox(context, { kind: "delete_blob", blobId: pointer.blobId }, due);
    if (pointer.state === "staged") registry.pointers.remove(pointer.id);
    if (pointer.state !== "listed") continue;
    const seq = registry.pointers.nextSeq();
    registry.pointers.put({ ...pointer, state: "removed", metadata: {}, seq, signature: null });
    hideRareMetadata(context, pointer);
  }
}

/** A sealed record has been deleted from the store: its copy for the replicas is deleted, too. */
export const blobDeleted: Handler<"blob_deleted"> = (context, { blobId }) => {
  const { registry, now } = context;
  scheduleCopyRemoval(context, blobId);
  registry.kvWrites.count(now, { writes: 1 });
  registry.outbox.remove({ kind: "delete_blob", blobId });
  return done;
};
