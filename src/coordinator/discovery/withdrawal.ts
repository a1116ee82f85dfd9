import { BLOB_GRACE_PERIOD } from "../../protocol/constants.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Context } from "../kernel/context.ts";
import { afterDeparture } from "./public-metadata.ts";

/**
 * Takes a peer out of discovery: its pointers at once, its blobs as soon as the store lets us. One that may be back in
 * a moment (`lingers`) keeps its blob for that long.
 */
export function withdraw(context: Context, peerId: PeerId, lingers = false): void {
  const { registry, now, effects } = context;
  registry.outbox.remove("publish", peerId);
  effects.push({ type: "drain_outbox" });
  for (const pointer of registry.pointers.ofPeer(peerId)) {
    const due = lingers ? now + BLOB_GRACE_PERIOD : now;
    const owed = registry.outbox.dueAt("delete_blob", pointer.blobId);
    if (pointer.state !== "removed" || (owed !== null && owed > due))
      registry.outbox.add("delete_blob", pointer.blobId, due);
    if (pointer.state === "staged") registry.pointers.remove(pointer.id);
    if (pointer.state !== "listed") continue;
    const seq = registry.pointers.nextSeq();
    registry.pointers.put({ ...pointer, state: "removed", metadata: {}, seq, signature: null });
    afterDeparture(context, pointer);
  }
}
