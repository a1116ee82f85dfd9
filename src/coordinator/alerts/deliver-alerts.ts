import { toHex, utf8 } from "../../base/bytes.ts";
import { toRfc3339 } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Alert } from "../../alerts/alert.ts";
import type { AlertRequest } from "../../contract/alerts.ts";
import { CALLBACK_ATTEMPTS_MAX, CALLBACK_TIMEOUT } from "../../protocol/constants.ts";
import type { AlertNotice } from "../../protocol/http.ts";
import { isAcknowledged, nextAttempt, signStandard, type Answer } from "../../webhooks/index.ts";
import type { AlertDelivery } from "../../registry/alert-deliveries.ts";
import type { Context } from "../kernel/context.ts";
import { logLine } from "../kernel/log.ts";
import { done, type Handler } from "../kernel/handler.ts";
import type { Job } from "../kernel/job.ts";
import { OPERATOR } from "../storage/room.ts";
import { answerOf, CUT_OFF_AFTER, nextLook } from "../webhooks/callback-attempts.ts";
import { callableUrl } from "../webhooks/callback-registration.ts";
import { secretsOf } from "../webhooks/callback-secrets.ts";
import { viewOf } from "./view.ts";

const UNCALLABLE: Answer = { status: null, error: null, retryAfter: null };
const ID_BYTES = 12;

/** Tells every alert webhook that an alert fires, or has ended. */
export function tellWebhooks(context: Context, alert: Alert, type: AlertNotice["type"]): void {
  const { registry, config, now, randomBytes } = context;
  const { alertWebhooks } = config;
  if (alertWebhooks.length === 0) return;
  const data = viewOf(alert, registry.cells);
  const notice: AlertNotice = { type, timestamp: toRfc3339(now), data };
  const id = `alert-${toHex(randomBytes(ID_BYTES))}`;
  const delivery = { key: alert.key, id, body: JSON.stringify(notice), dueAt: now, attempts: 0 };
  for (const url of alertWebhooks) registry.alertDeliveries.put({ ...delivery, url });
}

/**
 * Claims the next delivery that is due, to a receiver that is not being tried, and returns the request to send. The beginning of the
 * attempt is committed before it is made.
 */
export const claimAlert: Handler<"claim_alert"> = (context, { inProgress }) => {
  const { registry, now } = context;
  for (;;) {
    const delivery = registry.alertDeliveries.due(now, inProgress);
    if (delivery === null) return ok({ request: null });
    if (delivery.attempts >= CALLBACK_ATTEMPTS_MAX) {
      // The last attempt was cut off.
      giveUp(context, delivery, null);
      continue;
    }
    const attempts = delivery.attempts + 1;
    const request = requestOf(context, delivery);
    if (request.ok) {
      registry.alertDeliveries.update({ ...delivery, dueAt: now + CUT_OFF_AFTER, attempts });
      return ok({ request: request.value });
    }
    failed(context, { ...delivery, attempts }, UNCALLABLE);
  }
};

function requestOf(
  context: Context,
  { url, id, body }: AlertDelivery,
): Result<AlertRequest, string> {
  const callable = callableUrl(context, url);
  if (!callable.ok) return callable;
  const secrets = secretsOf(context, OPERATOR, new URL(callable.value).origin);
  const headers = signStandard(secrets, { id, at: context.now, body: utf8(body) });
  if (!headers.ok) return err(headers.error);
  const timeoutMs = CALLBACK_TIMEOUT;
  return ok({ id, receiver: url, url: callable.value, headers: headers.value, body, timeoutMs });
}

export const alertAnswered: Handler<"alert_answered"> = (context, { id, receiver, answer }) => {
  const { registry } = context;
  registry.metrics.count("muster_alert_webhook_attempts", [answerOf(answer)]);
  // A newer delivery about the same alert may have replaced it.
  const delivery = registry.alertDeliveries.get(id, receiver);
  if (delivery === null) return done;
  if (isAcknowledged(answer)) registry.alertDeliveries.remove(delivery);
  else failed(context, delivery, answer);
  return done;
};

/** Lets a delivery wait for its next attempt, if there is one. */
function failed(context: Context, delivery: AlertDelivery, answer: Answer): void {
  const { registry, now, random } = context;
  const dueAt = nextAttempt(delivery.attempts, answer, now, random);
  if (dueAt === null) giveUp(context, delivery, answer.status);
  else registry.alertDeliveries.update({ ...delivery, dueAt });
}

/** The log has the host alone: the rest of the URL may be a secret. */
function giveUp(context: Context, delivery: AlertDelivery, status: number | null): void {
  const { key, url, attempts } = delivery;
  context.registry.alertDeliveries.remove(delivery);
  logLine(context, "alert.given_up", { alert: key, host: new URL(url).host, attempts, status });
}

/** Every tick delivers what is due. This says when something is, and forgets receivers that are not configured any more. */
export const deliverAlerts: Job = {
  name: "deliver_alerts",
  run: ({ registry, config }) => registry.alertDeliveries.keepOnly(config.alertWebhooks),
  due: {
    reads: ["alertDeliveries"],
    at: ({ registry, now }) => nextLook(registry.alertDeliveries.nextDue(now), now),
  },
};
