import { toRfc3339 } from "../../base/clock.ts";
import type { WebhookSourceView } from "../../protocol/http.ts";
import type { WebhookSource } from "../../registry/webhook-sources.ts";
import { err, ok } from "../../base/result.ts";
import { WEBHOOK_SOURCES_MAX } from "../../protocol/constants.ts";
import { WEBHOOK_SOURCE } from "../../tasks/owner-key.ts";
import { endOwner, readmitOwner } from "../tasks/end-owner.ts";
import { keepContentsOfAll } from "./delivery-contents.ts";
import { checkCallback } from "./callback-registration.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";

export const putWebhookSource: Handler<"put_webhook_source"> = (context, input) => {
  const { registry, now, randomBytes } = context;
  const callable = checkCallback(context, input.mapping.callback, "task.callback");
  if (!callable.ok) return callable;
  const { secretsFrom, ...rules } = input;
  const before = registry.webhookSources.get(input.name);
  if (secretsFrom !== undefined && before?.revision !== secretsFrom) {
    return err({
      code: "conflict",
      detail: `the webhook source ${input.name} changed while this request was processed; read it and send the request again`,
    });
  }
  if (before === null && registry.webhookSources.count() >= WEBHOOK_SOURCES_MAX) {
    return err({
      code: "too_many_sources",
      detail: `the mesh has ${WEBHOOK_SOURCES_MAX} webhook sources, the limit; remove one first`,
    });
  }
  const free = readmitOwner(context, `${WEBHOOK_SOURCE}${input.name}`);
  if (!free.ok) return free;
  const source = {
    ...rules,
    id: before?.id ?? newOpaqueId(randomBytes),
    revision: registry.settings.nextWebhookSourceRevision(),
    createdAt: before?.createdAt ?? now,
    deliveries: before?.deliveries ?? 0,
  };
  registry.webhookSources.put(source);
  if (before === null) keepContentsOfAll(context);
  return ok(sourceView(source));
};

export const getWebhookSource: Handler<"get_webhook_source"> = ({ registry }, { name }) => {
  const source = registry.webhookSources.get(name);
  return source === null ? notFound("webhook source with this name") : ok(sourceView(source));
};

export const openWebhookSource: Handler<"open_webhook_source"> = ({ registry }, { name }) => {
  const source = registry.webhookSources.get(name);
  return source === null ? notFound("webhook source with this name") : ok(source);
};

export const webhookSourceVersions: Handler<"webhook_source_versions"> = ({ registry }) =>
  ok({ sources: registry.webhookSources.versions() });

export const listWebhookSources: Handler<"list_webhook_sources"> = ({ registry }) =>
  ok({ sources: registry.webhookSources.all().map(sourceView) });

export const removeWebhookSource: Handler<"remove_webhook_source"> = (
  context,
  { name, keepTasks = false },
) => {
  const { registry } = context;
  if (!registry.webhookSources.remove(name)) return notFound("webhook source with this name");
  registry.webhookDeliveries.removeOf(name);
  registry.webhookRefusals.removeOf(name);
  if (!keepTasks) endOwner(context, `${WEBHOOK_SOURCE}${name}`);
  return done;
};

const sourceView = (source: WebhookSource): WebhookSourceView => ({
  name: source.name,
  scheme: source.scheme,
  signature: source.signature,
  secrets: source.sealedSecrets.length,
  task: source.mapping,
  filters: [...source.filters],
  created_at: toRfc3339(source.createdAt),
  deliveries: source.deliveries,
  max_bytes: source.maxBytes,
  max_body_bytes: source.maxBodyBytes,
  identity: source.identity,
});
