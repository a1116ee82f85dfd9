import { ok } from "../../base/result.ts";
import type { AlertCommands } from "../../contract/alerts.ts";
import type { Domain } from "../kernel/domain.ts";
import type { Handler } from "../kernel/handler.ts";
import { alertAnswered, claimAlert, deliverAlerts } from "./deliver-alerts.ts";
import { evaluateAlerts } from "./evaluate-alerts.ts";
import { viewOf } from "./view.ts";

const listAlerts: Handler<"list_alerts"> = ({ registry }) =>
  ok({ alerts: registry.alerts.list().map((alert) => viewOf(alert, registry.cells)) });

export const alerts: Domain<AlertCommands> = {
  handlers: { list_alerts: listAlerts, claim_alert: claimAlert, alert_answered: alertAnswered },
  audit: {},
  jobs: [evaluateAlerts, deliverAlerts],
};
