import type { Alert } from "../../alerts/alert.ts";
import { conditionsOf, storageLevel } from "../../alerts/conditions.ts";
import { evaluate, type Evaluation } from "../../alerts/evaluate.ts";
import { limitConditions } from "../../alerts/limit-conditions.ts";
import { alertKey } from "../../protocol/alert-types.ts";
import { logLine } from "../kernel/log.ts";
import { dueAfter, earliest, type DueScope, type Job } from "../kernel/job.ts";
import { tellWebhooks } from "./deliver-alerts.ts";
import { factsOf, isAboutWatched } from "./facts.ts";

/**
 * Evaluates the alerts. That is due when an alert fires or ends by the passage of time. When peers, circuits or the queue have changed, it
 * is looked at most every 15 s whether one does. A tick follows only if there is something to write or to look at again: a mesh in which
 * nothing is wrong has none.
 */
export const evaluateAlerts: Job = {
  name: "evaluate_alerts",
  run(context) {
    const { registry } = context;
    const { alerts, alertWatch } = registry;
    if (!alertWatch.found.hasChanges && !alertWatch.isDue(context.now)) return;
    const { fired, resolved, changed } = look(context);
    for (const alert of resolved) {
      alerts.resolve(alert);
      tellWebhooks(context, alert, "alert.resolved");
      logLine(context, "alert.ended", fieldsOf(alert));
    }
    for (const alert of fired) {
      alerts.fire(alert);
      tellWebhooks(context, alert, "alert.firing");
      logLine(context, "alert.fired", { ...fieldsOf(alert), detail: alert.message });
    }
    for (const alert of changed) alerts.update(alert);
    // What has changed decides what else fires: one that ended has made room.
    if (fired.length + resolved.length + changed.length > 0) look(context);
  },
  due: {
    reads: ["alerts", "tasks", "lifetimes"],
    at(scope) {
      const { alertWatch } = scope.registry;
      if (mayConcernQueue(scope) || hasStorageChanged(scope)) alertWatch.changed();
      if (alertWatch.isDue(scope.now)) look(scope);
      return alertWatch.due(scope.now);
    },
  },
};

const fieldsOf = ({ key, peer, kind }: Alert) => ({ alert: key, peer, kind });

/** Evaluates the alerts, and notes when that is due next. */
function look(scope: DueScope): Evaluation {
  const { registry, config, now } = scope;
  const { alerts: thresholds } = config;
  const firing = new Map(registry.alerts.list().map((alert) => [alert.key, alert]));
  const facts = factsOf(scope);
  const conditions = conditionsOf(
    facts,
    thresholds,
    (subject) => firing.has(alertKey(subject)),
    now,
  );
  const evaluation = evaluate(
    firing,
    limitConditions(conditions, new Set(firing.keys()), now),
    (alert) => isAboutWatched(registry, alert),
    thresholds.resolveAfter,
    now,
  );
  const { fired, resolved, changed, next } = evaluation;
  const { queueOld } = thresholds;
  const circuits = registry.circuits.resting.counts;
  const nextOld = queueOld === null ? null : dueAfter(facts.nextWaiting, queueOld);
  registry.alertWatch.evaluated(
    {
      hasChanges: fired.length + resolved.length + changed.length > 0,
      next: earliest([next, nextOld]),
      hasAlerts: firing.size + fired.length > 0,
      hasCircuits: circuits.peer + circuits.kind > 0,
      hasQueueAlerts: [...firing.values()].some(({ alert }) => QUEUE_ALERTS.has(alert)),
      storage: storageLevel(facts.storage, thresholds),
    },
    now,
  );
  return evaluation;
}

const QUEUE_ALERTS: ReadonlySet<string> = new Set(["queue_old", "queue_long"]);

/** Whether tasks were written while some wait, or while there is an alert that ends once none waits. */
const mayConcernQueue = ({ registry, config: { alerts } }: DueScope): boolean =>
  (alerts.queueOld !== null || alerts.queueLong !== null) &&
  registry.changes.any(["tasks"]) &&
  (registry.tasks.waiting.length > 0 || registry.alertWatch.found.hasQueueAlerts);

/** Whether the size of the database permits other alerts than it did. */
const hasStorageChanged = ({ registry, config }: DueScope): boolean => {
  const storage = { used: registry.size(), limit: config.storage.limit };
  return storageLevel(storage, config.alerts) !== registry.alertWatch.found.storage;
};
