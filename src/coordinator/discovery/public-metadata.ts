import { canonicalJson } from "../../base/canonical-json.ts";
import { MINUTE, type Millis } from "../../base/clock.ts";
import type { JsonObject } from "../../base/json.ts";
import {
  ANONYMITY_MIN,
  kAnonymized,
  publicAttributes,
  type PeerAttributes,
} from "../../discovery/metadata.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { PublishedPointer } from "../../registry/pointers.ts";
import type { Context } from "../kernel/context.ts";

/**
 * Metadata of new pointers appears this much later, together with that of others: this also hides when a peer
 * connected.
 */
const SOON: Millis = MINUTE;
/** Metadata is refreshed this often, because scores change also while no peer connects or disconnects. */
const LATER: Millis = 15 * MINUTE;

export const publicDetails = ({ config }: Context, attributes: PeerAttributes): JsonObject =>
  publicAttributes(attributes, config.discovery.publicFields);

/** The set of published peers changed: the metadata is refreshed soon. */
export function metadataChanged({ registry, config, now }: Context): void {
  if (config.discovery.publicFields.length === 0) return;
  const due = registry.settings.metadataDue();
  if (due === null || due > now + SOON) registry.settings.setMetadataDue(now + SOON);
}

/** Refreshes the metadata if that is due. */
export function refreshDueMetadata(context: Context): void {
  const { registry, config, now } = context;
  const due = registry.settings.metadataDue();
  if (config.discovery.publicFields.length === 0 || due === null || due > now) return;
  for (const { epoch } of registry.discoveryEpochs.list()) refreshMetadata(context, epoch);
  registry.settings.setMetadataDue(now + LATER);
}

/**
 * Gives each listed pointer of an epoch the metadata that enough other pointers share now. Writes only differences. The details of a peer
 * of another cell are those that its cell has reported (`knowDetails`).
 */
export function refreshMetadata(context: Context, epoch: number): void {
  const { registry } = context;
  const pointers = registry.pointers.listed(epoch);
  const details = pointers.map((pointer) => {
    const peer = registry.peers.get(pointer.peerId);
    const isHere = peer !== null && isConnected(peer.state);
    return isHere ? publicDetails(context, peer) : pointer.details;
  });
  kAnonymized(details).forEach((metadata, index) => {
    const pointer = pointers[index] as PublishedPointer;
    const known = details[index] as JsonObject;
    if (differs(metadata, pointer.metadata))
      showMetadata(context, { ...pointer, details: known }, metadata);
    else if (differs(known, pointer.details)) registry.pointers.put({ ...pointer, details: known });
  });
}

/** A cell has reported a peer: its pointers have the details that count at the next refresh. */
export function knowDetails(context: Context, peerId: PeerId, attributes: PeerAttributes): void {
  const { pointers } = context.registry;
  if (context.config.discovery.publicFields.length === 0) return;
  const details = publicDetails(context, attributes);
  for (const pointer of pointers.ofPeer(peerId))
    if (pointer.state !== "removed" && differs(details, pointer.details))
      pointers.put({ ...pointer, details });
}

/**
 * A pointer was removed. When too few pointers with the same metadata are left, they show none, in the same
 * transaction.
 */
export function hideRareMetadata(context: Context, gone: PublishedPointer): void {
  if (!differs(gone.metadata, {})) return;
  const left = context.registry.pointers
    .showing(gone.metadata)
    .filter(({ epoch }) => epoch === gone.epoch);
  if (left.length < ANONYMITY_MIN) for (const pointer of left) showMetadata(context, pointer, {});
  metadataChanged(context);
}

const showMetadata = (
  { registry }: Context,
  pointer: PublishedPointer,
  metadata: JsonObject,
): void =>
  registry.pointers.put({
    ...pointer,
    metadata,
    seq: registry.pointers.nextSeq(),
    signature: null,
  });

const differs = (a: JsonObject, b: JsonObject): boolean => canonicalJson(a) !== canonicalJson(b);
