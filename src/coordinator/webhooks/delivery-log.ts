import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { WEBHOOK_DELIVERY_RETENTION } from "../../protocol/constants.ts";
import type { KeptDelivery } from "../../protocol/http.ts";
import type { ListedDelivery } from "../../registry/webhook-deliveries.ts";
import { cursorOf } from "../../protocol/list-cursor.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { placeBefore, placedPage, readSequence } from "../kernel/paging.ts";

export const listDeliveries: Handler<"list_deliveries"> = (
  { registry, now },
  { source, outcome, limit, cursor, after },
) => {
  const before = readSequence("deliveries", cursor);
  if (!before.ok) return before;
  if (registry.webhookSources.get(source) === null)
    return notFound("webhook source with this name");
  const since = now - WEBHOOK_DELIVERY_RETENTION;
  const filter = { source, outcome, since, limit: limit + 1 };
  if (after !== undefined) {
    const placeOf = (seq: number) => registry.webhookDeliveries.placeOf(source, seq);
    const begins = placeBefore(after, before.value, placeOf);
    const found = registry.webhookDeliveries.listBehind(filter, begins);
    const { items, paging } = placedPage({ limit, begins }, found, {
      place: ({ receivedAt, id }) => ({ at: receivedAt, id }),
      view: keptView,
    });
    return ok({ deliveries: items, ...paging });
  }
  const deliveries = registry.webhookDeliveries.list({ ...filter, before: before.value });
  const page = deliveries.slice(0, limit);
  const last = page.at(-1);
  return ok({
    deliveries: page.map(keptView),
    next_cursor:
      deliveries.length > limit && last !== undefined
        ? cursorOf("deliveries", String(last.seq))
        : null,
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
