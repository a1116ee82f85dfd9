import { SECOND, type Millis } from "../../base/clock.ts";
import { liveCells } from "../../cells/topology.ts";
import { AUTH_MODES } from "../../protocol/http.ts";
import { budgetOf } from "../discovery/write-budget.ts";
import { authMode, type Context } from "../kernel/context.ts";
import { budgetsOf } from "../storage/budgets.ts";
import type { Gauges } from "./gauges.ts";

/** What the coordinator has to do, and what it uses. */
export function sampleCoordinator(context: Context, gauges: Gauges): void {
  const { registry, config, now } = context;
  for (const { alert, count } of registry.alerts.counts())
    gauges.set("muster_alerts", [alert], count);
  for (const { kind, entries, failing } of registry.outbox.counts()) {
    gauges.set("muster_outbox_entries", [kind], entries);
    gauges.set("muster_outbox_failing_entries", [kind], failing);
  }
  gauges.set("muster_outbox_overdue_seconds", [], overdue(registry.outbox.nextDue(), now));
  const callbacks = registry.callbacks.pending();
  gauges.set("muster_callbacks_pending", [], callbacks.count);
  gauges.set("muster_callbacks_overdue_seconds", [], overdue(callbacks.firstDue, now));
  const { writes, peers } = registry.kvWrites.spent(now);
  gauges.set("muster_kv_writes_last_day", [], writes);
  gauges.set("muster_kv_writes_budget", [], budgetOf(Math.max(peers, registry.roster.size)));
  const { limit, submissions } = budgetsOf(config.storage.limit);
  gauges.set("muster_storage_used_bytes", [], registry.size());
  gauges.set("muster_storage_limit_bytes", [], limit);
  gauges.set("muster_storage_submissions_limit_bytes", [], submissions);
  sampleCellMessages(context, gauges);
  for (const mode of AUTH_MODES)
    gauges.set("muster_auth_mode", [mode], Number(authMode(context) === mode));
  gauges.set("muster_span_queue_entries", [], registry.spanQueue.count());
  const { startedAt } = registry.metrics;
  if (startedAt !== null)
    gauges.set("muster_coordinator_start_time_seconds", [], startedAt / SECOND);
}

/** What each other cell has not taken of this one. */
function sampleCellMessages({ registry, now }: Context, gauges: Gauges): void {
  const { cells, cellMessages } = registry;
  if (cells.isSingle) return;
  const waiting = new Map(cellMessages.waiting().map((link) => [link.cell, link]));
  for (const cell of liveCells(cells.topology)) {
    if (cell === cells.own) continue;
    const { messages = 0, oldest = null } = waiting.get(cell) ?? {};
    gauges.set("muster_cell_messages", [String(cell)], messages);
    gauges.set("muster_cell_messages_oldest_seconds", [String(cell)], overdue(oldest, now));
  }
}

const overdue = (due: Millis | null, now: Millis): number =>
  due === null ? 0 : Math.max(0, now - due) / SECOND;
