import { ok } from "../../base/result.ts";
import { WEBHOOK_DELIVERIES_PER_SOURCE_MAX } from "../../protocol/constants.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import type { DeliveryInput, ReceivedDelivery } from "../../contract/webhooks.ts";
import type { Context } from "../kernel/context.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { acceptSubmission } from "../tasks/submit.ts";

/**
 * Submits a delivery's task and records the outcome, in one transaction. If the task is refused because the queue is full, the
 * refusal is recorded and the sender repeats the delivery later: the command succeeds, and its output contains the error.
 */
export const receiveDelivery: Handler<"receive_delivery"> = (context, delivery) => {
  const { source, revision, deliveryId, bytes, sealed, replay } = delivery;
  const { registry, now, randomBytes } = context;
  const current = registry.webhookSources.get(source);
  if (current === null) return notFound("webhook source with this name");
  // The gateway evaluated the delivery with rules or secrets that are no longer in force.
  if (current.revision !== revision) return ok({ outcome: "source_changed" });
  const received = submit(context, delivery);
  const { outcome, taskId, detail } = received;
  registry.webhookDeliveries.add(
    {
      id: newOpaqueId(randomBytes),
      source,
      receivedAt: now,
      deliveryId,
      outcome,
      taskId,
      detail,
      bytes,
      replayOf: replay?.of ?? null,
      sealed,
    },
    WEBHOOK_DELIVERIES_PER_SOURCE_MAX,
  );
  return ok(received);
};

function submit(context: Context, delivery: DeliveryInput): ReceivedDelivery {
  const { verdict, source, deliveryId, replay } = delivery;
  if (verdict.outcome !== "task")
    return { outcome: verdict.outcome, taskId: null, detail: verdict.reason, error: null };
  // A sender cannot choose the key of an operator's replay: no delivery ID contains a full stop.
  const newTask = replay?.newTask ?? null;
  const key = newTask === null ? deliveryId : `replay.${replay?.of}.${newTask}`;
  const submitted = acceptSubmission(context, {
    task: verdict.task,
    owner: "admin",
    source: `webhook:${source}`,
    idempotency: { scope: `webhook:${source}`, key },
  });
  if (!submitted.ok) {
    const { error } = submitted;
    return { outcome: "refused", taskId: null, detail: `${error.code}: ${error.detail}`, error };
  }
  const { id, duplicate } = submitted.value;
  const outcome = duplicate ? "duplicate" : "task";
  return { outcome, taskId: id, detail: null, error: null };
}
