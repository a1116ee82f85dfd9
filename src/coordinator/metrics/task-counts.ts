import { SECOND } from "../../base/clock.ts";
import type { AttemptOutcome } from "../../metrics/task-families.ts";
import { waitsFrom } from "../../tasks/queue-position.ts";
import { WEBHOOK_SOURCE } from "../../tasks/owner-key.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";

type Scope = Pick<Context, "registry" | "now">;

/** Counts a task that was accepted. */
export function countSubmitted({ registry: { metrics }, now }: Scope, task: Task): void {
  const source = task.source.startsWith(WEBHOOK_SOURCE) ? "webhook" : task.source;
  metrics.count("muster_tasks_submitted", [metrics.useKind(task.kind, now), source]);
}

/** Counts how long a task has waited that is offered now, if it is its first offer. */
export function countOffer({ registry: { metrics }, now }: Scope, task: Task): void {
  if (task.lastFence > 0) return;
  const kind = metrics.kindLabel(task.kind);
  metrics.observe("muster_task_assignment_delay_seconds", [kind], secondsSince(task, now));
}

/** Counts an attempt that has ended. */
export function countAttemptEnd(
  { registry: { metrics } }: Scope,
  { kind }: Task,
  outcome: AttemptOutcome,
): void {
  metrics.count("muster_attempts_ended", [metrics.kindLabel(kind), outcome]);
}

/** Counts a task that has ended. */
export function countTaskEnd(
  { registry: { metrics }, now }: Scope,
  task: Task,
  state: "succeeded" | "failed" | "cancelled" | "expired",
): void {
  const kind = metrics.kindLabel(task.kind);
  metrics.count("muster_tasks_ended", [kind, state]);
  if (state === "succeeded")
    metrics.observe("muster_task_duration_seconds", [kind], secondsSince(task, now));
}

/** Since when the task could be offered. A clock that was set back makes no negative time. */
const secondsSince = (task: Task, now: number): number =>
  Math.max(0, now - waitsFrom(task)) / SECOND;
