import { HOUR, toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { WEBHOOK_DELIVERY_RETENTION } from "../../protocol/constants.ts";
import { statusOf } from "../../protocol/errors.ts";
import type { RefusedDelivery } from "../../protocol/http.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import type { WebhookRefusal } from "../../registry/webhook-refusals.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";
import { hasRoomForStrangers } from "../storage/room.ts";

const LIMITS = { window: HOUR, perSource: 20 } as const;

/**
 * Stores what an isolate of the gateway has counted. A source that was removed meanwhile has no entries, and one that was created
 * again under its name has none of the earlier one's.
 */
export const reportRefusals: Handler<"report_refusals"> = (
  context,
  { refused, unknownSources },
) => {
  const { registry, randomBytes } = context;
  const limits = { ...LIMITS, mayAdd: hasRoomForStrangers(context) };
  for (const { sourceId, ...refusal } of refused) {
    registry.metrics.count("muster_webhook_refusals", [refusal.code], refusal.count);
    if (registry.webhookSources.get(refusal.source)?.id !== sourceId) continue;
    registry.webhookRefusals.add({ ...refusal, id: newOpaqueId(randomBytes) }, limits);
  }
  if (unknownSources !== null) {
    registry.metrics.count("muster_webhook_refusals", ["not_found"], unknownSources.count);
    registry.webhookRefusals.addUnknown(unknownSources, newOpaqueId(randomBytes));
  }
  return done;
};

export const listRefused: Handler<"list_refused"> = ({ registry, now }, { source }) => {
  if (registry.webhookSources.get(source) === null)
    return notFound("webhook source with this name");
  const since = now - WEBHOOK_DELIVERY_RETENTION;
  const unknown = registry.webhookRefusals.unknown(since);
  return ok({
    refused: registry.webhookRefusals.list(source, since).map(refusedView),
    unknown_sources: unknown === null ? null : times(unknown),
  });
};

const refusedView = (refusal: WebhookRefusal): RefusedDelivery => ({
  id: refusal.id,
  ...times(refusal),
  code: refusal.code,
  detail: refusal.detail,
  status: statusOf(refusal.code),
  in_deliveries: refusal.recorded,
  method: refusal.method,
  headers: refusal.headers,
  address: refusal.address === "" ? null : refusal.address,
  bytes: refusal.bytes,
});

const times = ({
  firstAt,
  lastAt,
  count,
}: Pick<WebhookRefusal, "firstAt" | "lastAt" | "count">) => ({
  first_at: toRfc3339(firstAt),
  last_at: toRfc3339(lastAt),
  count,
});
