import { SECOND, type Millis } from "../../base/clock.ts";
import { LEASE_STATES } from "../../metrics/task-families.ts";
import { waitsFrom } from "../../tasks/queue-position.ts";
import type { Context } from "../kernel/context.ts";
import type { Gauges } from "./gauges.ts";

type Scope = Pick<Context, "registry" | "now">;

/** The queued tasks of one kind, or of several. */
export class QueueTotals {
  /** Those that may be offered now, and those that may be later. */
  waiting = 0;
  scheduled = 0;
  #oldest: Millis | null = null;

  add(from: Millis, notBefore: Millis, now: Millis): void {
    if (notBefore > now) {
      this.scheduled++;
      return;
    }
    this.waiting++;
    if (this.#oldest === null || from < this.#oldest) this.#oldest = from;
  }

  /** How long the oldest task waits that may be offered now, in seconds; 0 if there is none. */
  oldestWait(now: Millis): number {
    return this.#oldest === null ? 0 : Math.max(0, now - this.#oldest) / SECOND;
  }
}

/** Queue and leases, by the labels of kinds. */
export function sampleTasks({ registry, now }: Scope, gauges: Gauges): void {
  const { metrics, tasks } = registry;
  const labels = metrics.kindLabels();
  const queues = new Map(labels.map((label) => [label, new QueueTotals()]));
  for (const task of tasks.waiting.all())
    queues.get(metrics.kindLabel(task.kind))?.add(waitsFrom(task), task.notBefore, now);
  const running = new Map(labels.map((label) => [label, 0]));
  for (const [kind, count] of tasks.running.kinds()) {
    const label = metrics.kindLabel(kind);
    running.set(label, (running.get(label) ?? 0) + count);
  }
  for (const [label, queue] of queues) {
    gauges.set("muster_tasks_waiting", [label], queue.waiting);
    gauges.set("muster_tasks_scheduled", [label], queue.scheduled);
    gauges.set("muster_tasks_oldest_wait_seconds", [label], queue.oldestWait(now));
    gauges.set("muster_tasks_running", [label], running.get(label) ?? 0);
  }
  for (const state of LEASE_STATES)
    gauges.set("muster_leases", [state], tasks.running.ofLease(state));
}
