import { RETRY_BACKOFF_DEFAULT, RETRY_BACKOFF_MAX_DEFAULT } from "../../protocol/constants.ts";
import { retryAt } from "../../tasks/retry.ts";
import { done, type Handler } from "../kernel/handler.ts";

/** A session has confirmed its end. */
export const sessionEnded: Handler<"session_ended"> = ({ registry }, { to, fault }) => {
  registry.outbox.remove({ kind: "end_session", to, fault });
  return done;
};

/** A session has pinged its peer, or is gone. It reports the outcome by itself. */
export const probed: Handler<"probed"> = ({ registry }, { to }) => {
  registry.outbox.remove({ kind: "probe", to });
  return done;
};

const BACKOFF = { backoffMs: RETRY_BACKOFF_DEFAULT, backoffMaxMs: RETRY_BACKOFF_MAX_DEFAULT };

/** A delivery failed: it is retried after a pause that grows with each failure. */
export const outboxFailed: Handler<"outbox_failed"> = (
  { registry, now, random },
  { entry, failures },
) => {
  if (entry.kind === "send_to_cell") registry.alertWatch.changed();
  registry.outbox.retry(entry, retryAt(BACKOFF, failures + 2, now, random));
  return done;
};
