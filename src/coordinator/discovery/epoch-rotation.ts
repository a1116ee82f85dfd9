import type { Millis } from "../../base/clock.ts";
import { ORPHANED_BLOB_AGE } from "../../protocol/constants.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Context } from "../kernel/context.ts";
import { advanceEpoch, nextEpochDue } from "./epochs.ts";
import { refreshDueMetadata, refreshMetadata } from "./public-metadata.ts";
import { addToOutbox } from "../kernel/marks.ts";
import { reportMeasured } from "./report-peers.ts";

/**
 * Once every peer that is found under an earlier epoch is stored under the new one, the new pointers replace the old
 * ones at once, and the old secrets are erased. The old blobs expire together, untouched.
 */
export function rotateEpochs(context: Context): void {
  const { registry, now } = context;
  const epochs = registry.discoveryEpochs.list();
  const current = epochs.at(-1);
  if (current === undefined || current.closedAt !== null || epochs.length === 1) return;
  const older = epochs.slice(0, -1);
  const over = older.every(({ expiresAt }) => expiresAt <= now);
  if (!over && registry.outbox.isDue("publish", now)) return;
  if (!over && registry.pointers.awaitsEpoch(current.epoch)) return;
  registry.pointers.removeBefore(current.epoch);
  registry.pointers.listStaged(current.epoch);
  registry.discoveryEpochs.removeBefore(current.epoch);
  registry.discoveryEpochs.forgetHoldersBefore(current.epoch);
  refreshMetadata(context, current.epoch);
}

/** Does what is due in discovery: epochs, metadata, and blobs that were stored but never published. */
export function tickDiscovery(context: Context): void {
  const { registry, now } = context;
  if (registry.cells.own !== 0) return tickCopiedEpochs(context);
  advanceEpoch(context);
  rotateEpochs(context);
  refreshDueMetadata(context);
  for (const blobId of registry.unsettledBlobs.begunBefore(now - ORPHANED_BLOB_AGE)) {
    registry.unsettledBlobs.settle(blobId);
    addToOutbox(context, { kind: "delete_blob", blobId });
  }
}

/** In another cell than cell 0, which has copies of the epochs and publishes nothing. */
function tickCopiedEpochs(context: Context): void {
  const { discoveryEpochs } = context.registry;
  const [oldest] = discoveryEpochs.list();
  if (oldest !== undefined) discoveryEpochs.forgetHoldersBefore(oldest.epoch);
  reportMeasured(context);
}

/** When `tickDiscovery` has work next; null when nothing waits for a time. */
export function nextDiscoveryDue(registry: Registry): Millis | null {
  if (registry.cells.own !== 0)
    return registry.reportedPeers.any() ? registry.settings.metadataDue() : null;
  const orphan = registry.unsettledBlobs.oldest();
  const dues = [
    nextEpochDue(registry),
    registry.pointers.anyListed() ? registry.settings.metadataDue() : null,
    orphan === null ? null : orphan + ORPHANED_BLOB_AGE,
  ].filter((due) => due !== null);
  return dues.length === 0 ? null : Math.min(...dues);
}
