import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import {
  WEBHOOK_DELIVERIES_PER_SOURCE_MAX,
  WEBHOOK_DELIVERY_RETENTION,
} from "../../protocol/constants.ts";
import type { KeptDelivery } from "../../protocol/http.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import type { ListedDelivery } from "../../registry/webhook-deliveries.ts";
import type { DeliveryInput, TakenDelivery } from "../../contract/webhooks.ts";
import type { Context } from "../kernel/context.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { readSequence } from "../kernel/paging.ts";
import { acceptSubmission } from "../tasks/submit.ts";

/**
 * Takes a delivery and remembers what became of it, in one transaction. A task that the coordinator refuses (its queue is
 * full) is remembered as such, and the sender is told to come again: so this succeeds, and carries the refusal.
 */
export const takeDelivery: Handler<"take_delivery"> = (context, delivery) => {
  const taken = settle(context, delivery);
  const { source, deliveryId, bytes, sealed, replay } = delivery;
  const { outcome, taskId, detail } = taken;
  const { registry, now, randomBytes } = context;
  if (registry.webhookSources.get(source) === null) return notFound("webhook source of this name");
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
  return ok(taken);
};

function settle(context: Context, delivery: DeliveryInput): TakenDelivery {
  const { verdict, source, deliveryId, replay } = delivery;
  if (verdict.outcome !== "task")
    return { outcome: verdict.outcome, taskId: null, detail: verdict.reason, error: null };
  // No signed ID holds a full stop, so no sender can name an operator's replay.
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

export const listDeliveries: Handler<"list_deliveries"> = (
  { registry, now },
  { source, outcome, limit, cursor },
) => {
  const before = readSequence(cursor);
  if (!before.ok) return before;
  if (registry.webhookSources.get(source) === null) return notFound("webhook source of this name");
  const since = now - WEBHOOK_DELIVERY_RETENTION;
  const deliveries = registry.webhookDeliveries.list({
    source,
    outcome,
    since,
    before: before.value,
    limit: limit + 1,
  });
  const page = deliveries.slice(0, limit);
  const last = page.at(-1);
  return ok({
    deliveries: page.map(keptView),
    next_cursor: deliveries.length > limit && last !== undefined ? String(last.seq) : null,
  });
};

const keptView = (delivery: ListedDelivery): KeptDelivery => ({
  id: delivery.id,
  received_at: toRfc3339(delivery.receivedAt),
  delivery_id: delivery.deliveryId,
  outcome: delivery.outcome,
  task_id: delivery.taskId,
  detail: delivery.detail,
  bytes: delivery.bytes,
  replayable: delivery.kept,
  replay_of: delivery.replayOf,
});

export const openDelivery: Handler<"open_delivery"> = ({ registry, now }, { source, id }) => {
  const delivery = registry.webhookDeliveries.get(source, id, now - WEBHOOK_DELIVERY_RETENTION);
  return delivery === null ? notFound("delivery of this ID") : ok(delivery);
};
