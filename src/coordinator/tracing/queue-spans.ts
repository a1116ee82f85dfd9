import type { Task } from "../../tasks/task.ts";
import type { Callback } from "../../webhooks/index.ts";
import type { Context } from "../kernel/context.ts";
import { countDropped } from "./drops.ts";
import { isSampled } from "./sampling.ts";

/** Tasks and callbacks whose spans wait to be sent. More are dropped: a collector that is down must not fill the database. */
export const SPAN_QUEUE_MAX = 10_000;

/** A task has ended: its spans are sent later. */
export const queueTaskSpans = (context: Context, task: Omit<Task, "payload" | "result">): void =>
  queue(context, task, "task");

/** Writes a callback that is not sent any more by itself. If attempts at it were made, its spans are sent later. */
export function settleCallback(context: Context, callback: Callback): void {
  const { registry } = context;
  registry.callbacks.update(callback);
  if (context.config.tracing === null || callback.attempts.length === 0) return;
  const task = registry.tasks.withoutContents(callback.taskId);
  if (task !== null) queue(context, task, "callback");
}

function queue(
  context: Context,
  task: Omit<Task, "payload" | "result">,
  part: "task" | "callback",
): void {
  const { registry, config, now } = context;
  if (!isSampled(config, task)) return;
  if (registry.spanQueue.count() >= SPAN_QUEUE_MAX) countDropped(context, "queue_full", 1);
  else registry.spanQueue.add({ taskId: task.id, retries: task.retries, part, at: now });
}
