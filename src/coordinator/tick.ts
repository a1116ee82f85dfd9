import { MINUTE, type Millis } from "../base/clock.ts";
import { AUDIT_RETENTION, TASK_RETENTION } from "../protocol/constants.ts";
import type { Task } from "../tasks/task.ts";
import type { Context } from "./context.ts";
import { dispatch } from "./dispatch.ts";
import { done, type Handler } from "./handler.ts";
import { EXPIRED_KEY_RETENTION } from "./join-keys.ts";
import { callOff, endTask, releaseAttempt } from "./leases.ts";
import type { Registry } from "../registry/registry.ts";

/** Waiting tasks are looked at again this often, for what no event announces (a refusal that was long enough ago). */
const SWEEP_INTERVAL: Millis = MINUTE;

/** Does everything whose time has come. Safe to run at any time and any number of times. */
export const tick: Handler<"tick"> = (context) => {
  const { registry, now, effects } = context;
  for (const id of registry.tasks.pastDeadline(now))
    expire(context, registry.tasks.get(id) as Task);
  for (const id of registry.tasks.leasesOver(now)) giveUp(context, registry.tasks.get(id) as Task);
  registry.tasks.prune(now - TASK_RETENTION);
  registry.idempotency.prune(now);
  registry.aliases.prune(now);
  registry.audit.prune(now - AUDIT_RETENTION);
  registry.joinKeys.prune(now - EXPIRED_KEY_RETENTION);
  dispatch(context);
  effects.push({ type: "drain_outbox" });
  return done;
};

function expire(context: Context, task: Task): void {
  callOff(context, task, "the deadline passed");
  endTask(
    context,
    { ...task, error: task.error ?? "the deadline passed before the task was done" },
    "expired",
  );
}

function giveUp(context: Context, task: Task): void {
  const accepted = task.state === "running";
  releaseAttempt(context, task, {
    state: accepted ? "lost" : "refused",
    error: accepted
      ? "the lease ran out without a sign of life"
      : "the offer was not accepted in time",
    outcome: "failure",
    counts: accepted,
    retry: true,
  });
}

/** When `tick` is needed next; null when nothing waits for a time. */
export function nextTick({ tasks, outbox }: Registry, now: Millis): Millis | null {
  const sweep = tasks.anyQueued() ? now + SWEEP_INTERVAL : null;
  const dues = [tasks.nextDue(now), outbox.nextDue(), sweep].filter((due) => due !== null);
  return dues.length === 0 ? null : Math.min(...dues);
}
