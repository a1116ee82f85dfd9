import { toRfc3339 } from "../../base/clock.ts";
import type { Alert } from "../../alerts/alert.ts";
import { ok } from "../../base/result.ts";
import type { AlertCommands } from "../../contract/alerts.ts";
import type { AlertView } from "../../protocol/http.ts";
import type { Domain } from "../kernel/domain.ts";
import type { Handler } from "../kernel/handler.ts";
import { evaluateAlerts } from "./evaluate-alerts.ts";

const listAlerts: Handler<"list_alerts"> = ({ registry }) =>
  ok({ alerts: registry.alerts.list().map(viewOf) });

function viewOf(firing: Alert): AlertView {
  const { alert, key, peer, kind, since, firedAt, value, threshold, message } = firing;
  const times = { since: toRfc3339(since), fired_at: toRfc3339(firedAt) };
  return { alert, key, peer, kind, ...times, value, threshold, message };
}

export const alerts: Domain<AlertCommands> = {
  handlers: { list_alerts: listAlerts },
  audit: {},
  jobs: [evaluateAlerts],
};
