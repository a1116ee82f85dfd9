import type { Output } from "../contract/commands.ts";
import type { CollectedMetrics } from "../contract/metrics.ts";
import { mergeSnapshots } from "../metrics/merge-snapshots.ts";
import { missingCells, type Gathered } from "./every-cell.ts";

/** One answer of those of all cells. */

/** Alerts of all cells, those that have fired for longest first. Their keys differ. */
export function mergedAlerts({
  answers,
  missing,
}: Gathered<Output<"list_alerts">>): Output<"list_alerts"> {
  const alerts = answers
    .flatMap(({ value }) => value.alerts)
    .toSorted((a, b) => compare(a.fired_at, b.fired_at) || compare(a.key, b.key));
  return { alerts, ...missingCells(missing) };
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** The tasks of a kind in all cells. */
export function mergedKindLoad({
  answers,
  missing,
}: Gathered<Output<"kind_load">>): Output<"kind_load"> {
  const loads = answers.map(({ value }) => value);
  const sum = (of: "waiting" | "scheduled" | "running" | "load"): number =>
    loads.reduce((total, load) => total + load[of], 0);
  return {
    kind: loads[0]?.kind ?? "",
    waiting: sum("waiting"),
    scheduled: sum("scheduled"),
    running: sum("running"),
    load: sum("load"),
    oldest_wait_seconds: Math.max(0, ...loads.map((load) => load.oldest_wait_seconds)),
    ...missingCells(missing),
  };
}

/** The metrics of all cells as those of the mesh. */
export const mergedMetrics = ({
  answers,
  missing,
}: Gathered<CollectedMetrics>): CollectedMetrics => ({
  metrics: mergeSnapshots(
    answers.map(({ cell, value }) => ({ cell, snapshot: value.metrics })),
    missing,
  ),
  missing,
});
