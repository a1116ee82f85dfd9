import { canonicalJson } from "../../base/canonical-json.ts";
import { MINUTE, type Millis } from "../../base/clock.ts";
import type { JsonObject } from "../../base/json.ts";
import { ANONYMITY_MIN, kAnonymized, publicAttributes } from "../../discovery/metadata.ts";
import type { Peer } from "../../peers/peer.ts";
import type { PublishedPointer } from "../../registry/pointers.ts";
import type { Context } from "../kernel/context.ts";

/** Newcomers show nothing until then, when those who came with them do: that hides who came when, too. */
const SOON: Millis = MINUTE;
/** Scores drift without anybody coming or going. */
const LATER: Millis = 15 * MINUTE;

export const publicDetails = ({ config }: Context, peer: Peer): JsonObject =>
  publicAttributes(peer, config.discovery.publicFields);

/** Who is published has changed: the metadata is looked at again soon. */
export function metadataChanged({ registry, config, now }: Context): void {
  if (config.discovery.publicFields.length === 0) return;
  const due = registry.settings.metadataDue();
  if (due === null || due > now + SOON) registry.settings.setMetadataDue(now + SOON);
}

/** Looks at it if the time has come. */
export function refreshDueMetadata(context: Context): void {
  const { registry, config, now } = context;
  const due = registry.settings.metadataDue();
  if (config.discovery.publicFields.length === 0 || due === null || due > now) return;
  for (const { epoch } of registry.discoveryEpochs.list()) refreshMetadata(context, epoch);
  registry.settings.setMetadataDue(now + LATER);
}

/** Gives each listed pointer of an epoch as much metadata as enough others share now; only what differs is written. */
export function refreshMetadata(context: Context, epoch: number): void {
  const { registry } = context;
  const pointers = registry.pointers.listed(epoch);
  const details = pointers.map((pointer) => {
    const peer = registry.peers.get(pointer.peerId);
    return peer === null ? pointer.details : publicDetails(context, peer);
  });
  kAnonymized(details).forEach((metadata, index) => {
    const pointer = pointers[index] as PublishedPointer;
    const known = details[index] as JsonObject;
    if (differs(metadata, pointer.metadata))
      show(context, { ...pointer, details: known }, metadata);
    else if (differs(known, pointer.details)) registry.pointers.put({ ...pointer, details: known });
  });
}

/** A pointer is gone: when too few are left that show the same, they show nothing, in the same transaction. */
export function afterDeparture(context: Context, gone: PublishedPointer): void {
  if (!differs(gone.metadata, {})) return;
  const left = context.registry.pointers
    .showing(gone.metadata)
    .filter(({ epoch }) => epoch === gone.epoch);
  if (left.length < ANONYMITY_MIN) for (const pointer of left) show(context, pointer, {});
  metadataChanged(context);
}

const show = ({ registry }: Context, pointer: PublishedPointer, metadata: JsonObject): void =>
  registry.pointers.put({
    ...pointer,
    metadata,
    seq: registry.pointers.nextSeq(),
    signature: null,
  });

const differs = (a: JsonObject, b: JsonObject): boolean => canonicalJson(a) !== canonicalJson(b);
