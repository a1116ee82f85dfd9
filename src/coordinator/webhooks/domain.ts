import type { WebhookCommands } from "../../contract/webhooks.ts";
import type { Domain } from "../kernel/domain.ts";
import type { Job } from "../kernel/job.ts";
import {
  callbackAnswered,
  claimCallback,
  nextCallback,
  repeatCallback,
} from "./callback-attempts.ts";
import {
  endPreviousCallbackSecret,
  getCallbackSecret,
  rotateCallbackSecret,
} from "./callback-secrets.ts";
import { listDeliveries, openDelivery } from "./delivery-log.ts";
import { receiveDelivery } from "./receive-delivery.ts";
import { listRefused, reportRefusals } from "./refusals.ts";
import {
  getWebhookSource,
  listWebhookSources,
  openWebhookSource,
  putWebhookSource,
  removeWebhookSource,
  webhookSourceVersions,
} from "./sources.ts";

/** Every tick delivers due callbacks. This says when one is due. */
const deliverCallbacks: Job = {
  name: "deliver_callbacks",
  run() {},
  due: { reads: ["callbacks"], at: ({ registry, now }) => nextCallback(registry, now) },
};

export const webhooks: Domain<WebhookCommands> = {
  handlers: {
    put_webhook_source: putWebhookSource,
    get_webhook_source: getWebhookSource,
    open_webhook_source: openWebhookSource,
    webhook_source_versions: webhookSourceVersions,
    list_webhook_sources: listWebhookSources,
    remove_webhook_source: removeWebhookSource,
    receive_delivery: receiveDelivery,
    list_deliveries: listDeliveries,
    report_refusals: reportRefusals,
    list_refused: listRefused,
    open_delivery: openDelivery,
    repeat_callback: repeatCallback,
    claim_callback: claimCallback,
    callback_answered: callbackAnswered,
    get_callback_secret: getCallbackSecret,
    rotate_callback_secret: rotateCallbackSecret,
    end_previous_callback_secret: endPreviousCallbackSecret,
  },
  audit: {
    put_webhook_source: ({ name, scheme }) => ({ subject: name, detail: { scheme } }),
    remove_webhook_source: ({ name, keepTasks = false }) => ({
      subject: name,
      detail: { keep_tasks: keepTasks },
    }),
    rotate_callback_secret: ({ owner, overlapSeconds }, output) => ({
      subject: owner,
      detail: {
        origin: output?.origin ?? null,
        version: output?.version ?? null,
        overlap_seconds: overlapSeconds,
      },
      newestOf: ["version"],
    }),
    end_previous_callback_secret: ({ owner }, output) => ({
      subject: owner,
      detail: { origin: output?.origin ?? null, version: output?.version ?? null },
      newestOf: ["version"],
    }),
    // A delivery is recorded in its source's log. Its replay is an administrator's act.
    receive_delivery: ({ source, replay }, output) =>
      replay === null || output?.outcome === "source_changed"
        ? null
        : {
            subject: source,
            detail: {
              delivery: replay.of,
              new_task: replay.newTask !== null,
              outcome: output?.outcome ?? null,
              task: output?.taskId ?? null,
            },
          },
    report_refusals: { notAudited: "what strangers send; listed with its source" },
    repeat_callback: ({ id, visibleTo }) => (visibleTo === null ? { subject: id } : null),
  },
  jobs: [deliverCallbacks],
};
