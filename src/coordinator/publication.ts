import { ok } from "../base/result.ts";
import { BLOB_TTL, RETRY_BACKOFF, RETRY_BACKOFF_MAX } from "../protocol/constants.ts";
import { OpaqueId } from "../protocol/ids.ts";
import { done, notFound, type Handler } from "./handler.ts";
import { endSessionItem } from "./peers.ts";
import { badCursor } from "./queries.ts";
import { retryAt } from "../tasks/lease.ts";
import { newest } from "./sessions.ts";
import { pointerView } from "./views.ts";

export const listPointers: Handler<"list_pointers"> = ({ registry, now }, { limit, cursor }) => {
  if (cursor !== undefined && !OpaqueId.safeParse(cursor).success) return badCursor();
  const pointers = registry.pointers.list(now, limit + 1, cursor);
  const page = pointers.slice(0, limit);
  return ok({
    pointers: page.map(pointerView),
    next_cursor: pointers.length > limit ? (page.at(-1)?.id ?? null) : null,
  });
};

export const getPointer: Handler<"get_pointer"> = ({ registry, now }, { id }) => {
  const pointer = registry.pointers.get(id, now);
  return pointer === null ? notFound("pointer of this ID") : ok(pointerView(pointer));
};

/**
 * A peer's sealed record lies in the store: now its pointer may name it, and the blob before it goes. When that session
 * is over meanwhile, the new blob is the orphan; a newer session owes its own record, and that debt stands.
 */
export const published: Handler<"published"> = (context, { peerId, epoch, pointer }) => {
  const { registry, now, effects } = context;
  effects.push({ type: "drain_outbox" });
  if (newest(context, peerId, epoch) === null) {
    registry.outbox.add("delete_blob", pointer.blob_id, now);
    return done;
  }
  const before = registry.pointers.ofPeer(peerId);
  if (before !== null) registry.outbox.add("delete_blob", before.blobId, now);
  const { id, blob_id: blobId, metadata } = pointer;
  registry.pointers.put({ id, peerId, blobId, metadata, expiresAt: now + BLOB_TTL });
  registry.outbox.add("publish", peerId, now + BLOB_TTL / 2);
  return done;
};

/** A session that had to end has confirmed it: the outbox owes nothing more. */
export const sessionEnded: Handler<"session_ended"> = ({ registry }, { to, fault }) => {
  registry.outbox.remove("end_session", endSessionItem(to, fault));
  return done;
};

const PAUSE = { backoffMs: RETRY_BACKOFF, backoffMaxMs: RETRY_BACKOFF_MAX };

/** The outside world did not take it: again later, each time after a longer pause. */
export const outboxFailed: Handler<"outbox_failed"> = (
  { registry, now, random },
  { kind, subject, failures },
) => {
  registry.outbox.postpone(kind, subject, retryAt(PAUSE, failures + 2, now, random));
  return done;
};

export const blobDeleted: Handler<"blob_deleted"> = ({ registry }, { blobId }) => {
  registry.outbox.remove("delete_blob", blobId);
  return done;
};
