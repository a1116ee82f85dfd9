import type { Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { pointerIdOf } from "../../discovery/epoch-secrets.ts";
import { EPOCH_INTERVAL_MIN } from "../../protocol/constants.ts";
import { newOpaqueId, type PeerId } from "../../protocol/ids.ts";
import type { PublishedPointer } from "../../registry/pointers.ts";
import type { Context } from "../kernel/context.ts";
import { epochToPublish, publicKeyOf, type OpenedEpoch } from "./epochs.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { metadataChanged, publicDetails } from "./public-metadata.ts";
import { rotateEpochs } from "./epoch-rotation.ts";
import { addToOutbox } from "../kernel/marks.ts";
import { fingerprintOf } from "./record-fingerprint.ts";
import { reportPeer } from "./report-peers.ts";
import { subjectOf, type Subject } from "./subjects.ts";
import { recordAllowedAt, spendRecord } from "./write-budget.ts";

/**
 * What to store for a peer whose record must be published. Null when there is nothing to store: the peer disconnected,
 * its published record is current, it can be listed again without a write, or it has to wait for an epoch or for the
 * write budget. Cell 0 publishes the peers of all cells: another cell tells it of its peer instead.
 */
export const preparePublication: Handler<"prepare_publication"> = (context, { peerId }) => {
  const { registry, now, randomBytes } = context;
  if (registry.cells.own !== 0) return reportPeer(context, peerId);
  const subject = subjectOf(context, peerId);
  if (subject === null) return nothingToStore(context, peerId);
  const epoch = epochToPublish(context);
  if (epoch === null) return postpone(context, peerId, now + EPOCH_INTERVAL_MIN);
  const record = subject.record();
  const fingerprint = fingerprintOf(record);
  const before = registry.pointers.get(pointerIdOf(epoch.secrets.pointerSecret, peerId));
  if (before?.fingerprint === fingerprint) {
    if (before.state !== "removed") return nothingToStore(context, peerId);
    if (stillStored(context, before)) {
      registry.outbox.remove({ kind: "delete_blob", blobId: before.blobId });
      listPointer(context, before);
      return nothingToStore(context, peerId);
    }
  }
  const holds = { peerId, epoch: epoch.epoch, fingerprint };
  const begun = registry.unsettledBlobs.same(holds);
  if (begun === null) {
    const isReseal = before === null && isFoundBefore(context, peerId, epoch);
    const allowedAt = recordAllowedAt(context, subject, isReseal);
    if (allowedAt > now) return postpone(context, peerId, allowedAt);
    spendRecord(context, subject, isReseal);
  }
  const blobId = begun ?? newOpaqueId(randomBytes);
  registry.unsettledBlobs.put({ ...holds, id: blobId, begunAt: now });
  const publicKey = publicKeyOf(epoch);
  const publication = { record, blobId, publicKey, expiresAt: epoch.expiresAt };
  return ok({ publication, session: subject.session, epoch: epoch.epoch, fingerprint });
};

function nothingToStore({ registry }: Context, peerId: PeerId) {
  registry.outbox.remove({ kind: "publish", peerId });
  return ok(null);
}

function postpone(context: Context, peerId: PeerId, due: Millis) {
  addToOutbox(context, { kind: "publish", peerId }, due);
  return ok(null);
}

/**
 * Whether the blob's deletion is scheduled but was not tried: a blob that may be deleted already must not be named
 * again.
 */
const stillStored = ({ registry, now }: Context, { blobId }: PublishedPointer): boolean =>
  registry.outbox.isUntried({ kind: "delete_blob", blobId }, now);

/**
 * A record has been stored: its pointer may name it now, and the previous blob is deleted. When its session or its
 * epoch has ended meanwhile, the new blob is deleted instead, and the outbox entry stays.
 */
export const published: Handler<"published"> = (context, input) => {
  const { registry } = context;
  const { peerId, session, blobId, fingerprint } = input;
  const subject = subjectOf(context, peerId);
  const isOpen = subject?.session === session;
  const epoch = epochToPublish(context);
  const swept = !registry.unsettledBlobs.settle(blobId);
  if (swept || subject === null || !isOpen || epoch?.epoch !== input.epoch) {
    addToOutbox(context, { kind: "delete_blob", blobId });
    return done;
  }
  const id = pointerIdOf(epoch.secrets.pointerSecret, peerId);
  const before = registry.pointers.get(id);
  if (before !== null && before.state !== "removed")
    addToOutbox(context, { kind: "delete_blob", blobId: before.blobId });
  const pointer = pointerOf(epoch, subject, { id, blobId, fingerprint });
  const details = publicDetails(context, subject.attributes);
  const staged = before?.state !== "listed" && isFoundBefore(context, peerId, epoch);
  if (staged) registry.pointers.put({ ...pointer, details });
  else listPointer(context, { ...pointer, details, metadata: before?.metadata ?? {} });
  registry.outbox.remove({ kind: "publish", peerId });
  rotateEpochs(context);
  return done;
};

const pointerOf = (
  { epoch, expiresAt }: OpenedEpoch,
  { id: peerId }: Subject,
  named: Pick<PublishedPointer, "id" | "blobId" | "fingerprint">,
): PublishedPointer => ({
  ...named,
  epoch,
  peerId,
  state: "staged",
  seq: 0,
  details: {},
  metadata: {},
  expiresAt,
  signature: null,
});

/**
 * Whether the peer is still listed under an earlier epoch. Its new pointer must not be listed before the others of the
 * new epoch: that would show that both pointers belong to one peer.
 */
const isFoundBefore = ({ registry }: Context, peerId: PeerId, { epoch }: OpenedEpoch): boolean =>
  registry.pointers
    .ofPeer(peerId)
    .some((pointer) => pointer.epoch < epoch && pointer.state === "listed");

function listPointer(context: Context, pointer: PublishedPointer): void {
  const seq = context.registry.pointers.nextSeq();
  context.registry.pointers.put({ ...pointer, state: "listed", seq, signature: null });
  metadataChanged(context);
}
