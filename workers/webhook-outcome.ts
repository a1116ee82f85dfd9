import { err, ok, type Result } from "../src/base/result.ts";
import type { TakenDelivery } from "../src/contract/webhooks.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { DeliveryView } from "../src/protocol/http.ts";

/** What a sender is told: 2xx for all that needs no second try, a filtered event among it. */
export function outcomeView({
  outcome,
  taskId,
  detail,
  error,
}: TakenDelivery): Result<DeliveryView, MusterError> {
  if (error !== null) return err(error);
  if (outcome === "unmapped")
    return err({ code: "event_unmapped", detail: detail ?? "the event does not fit" });
  const filtered = outcome === "filtered" ? detail : null;
  return ok({ task_id: taskId, duplicate: outcome === "duplicate", filtered });
}
