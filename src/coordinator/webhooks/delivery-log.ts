import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { WEBHOOK_DELIVERY_RETENTION } from "../../protocol/constants.ts";
import type { KeptDelivery } from "../../protocol/http.ts";
import type { ListedDelivery } from "../../registry/webhook-deliveries.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { readSequence } from "../kernel/paging.ts";

export const listDeliveries: Handler<"list_deliveries"> = (
  { registry, now },
  { source, outcome, limit, cursor },
) => {
  const before = readSequence(cursor);
  if (!before.ok) return before;
  if (registry.webhookSources.get(source) === null)
    return notFound("webhook source with this name");
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
  return delivery === null ? notFound("delivery with this ID") : ok(delivery);
};
