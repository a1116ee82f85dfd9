import { RETRY_BACKOFF_DEFAULT, RETRY_BACKOFF_MAX_DEFAULT } from "../../protocol/constants.ts";
import { retryAt } from "../../tasks/retry.ts";
import { done, type Handler } from "./handler.ts";
import { endSessionItem, probeItem } from "../peers/peers.ts";
import { scheduleCopyRemoval } from "../discovery/copies.ts";

/** A session that had to end has confirmed it: the outbox owes nothing more. */
export const sessionEnded: Handler<"session_ended"> = ({ registry }, { to, fault }) => {
  registry.outbox.remove("end_session", endSessionItem(to, fault));
  return done;
};

/** A session was told to ask its peer, or is gone: it knows by itself what to tell of the answer. */
export const probed: Handler<"probed"> = ({ registry }, { to }) => {
  registry.outbox.remove("probe", probeItem(to));
  return done;
};

const PAUSE = { backoffMs: RETRY_BACKOFF_DEFAULT, backoffMaxMs: RETRY_BACKOFF_MAX_DEFAULT };

/** The outside world did not take it: again later, each time after a longer pause. */
export const outboxFailed: Handler<"outbox_failed"> = (
  { registry, now, random },
  { kind, subject, failures },
) => {
  registry.outbox.postpone(kind, subject, retryAt(PAUSE, failures + 2, now, random));
  return done;
};

export const blobDeleted: Handler<"blob_deleted"> = (context, { blobId }) => {
  const { registry, now } = context;
  scheduleCopyRemoval(context, blobId);
  registry.kvWrites.count(now, 1, 0);
  registry.outbox.remove("delete_blob", blobId);
  return done;
};
