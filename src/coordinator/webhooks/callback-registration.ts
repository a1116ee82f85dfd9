import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { CallbackBody } from "../../protocol/http.ts";
import { outboundUrl } from "../../protocol/outbound-url.ts";
import { sealCallbackSecret, signStandard } from "../../webhooks/index.ts";
import { ownerKeyOf } from "../../tasks/owner-key.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { markCallbacksDue } from "../kernel/marks.ts";

/** Checks a task's callback before the task is accepted. */
export function checkCallback(
  context: Context,
  callback: CallbackBody | undefined,
  place = "callback",
): Result<void, MusterError> {
  if (callback === undefined) return ok(undefined);
  const url = callableUrl(context, callback.url);
  if (!url.ok) return refused(`${place}.url`, url.error);
  if (callback.secret === undefined) return ok(undefined);
  const signed = signStandard([callback.secret], { id: "", at: 0, body: new Uint8Array() });
  return signed.ok ? ok(undefined) : refused(`${place}.secret`, signed.error);
}

const refused = (path: string, message: string): Result<never, MusterError> =>
  err({ code: "invalid_request", detail: `${path}: ${message}`, issues: [{ path, message }] });

/**
 * The URL as it is called, or why it may not be called. Checked at every attempt, because the rules may have changed.
 */
export function callableUrl({ config }: Context, url: string): Result<string, string> {
  const { allowLoopback, outboundAllow: allow } = config;
  const callable = outboundUrl(url, { schemes: ["https", "http"], allowLoopback, allow });
  return callable.ok ? callable : err(callable.error.detail);
}

/** Stores a callback that was checked, until its task ends. */
export function registerCallback(
  context: Context,
  task: Pick<Task, "id" | "owner" | "source">,
  callback: CallbackBody | undefined,
): void {
  const url = callback === undefined ? null : callableUrl(context, callback.url);
  if (callback === undefined || url === null || !url.ok) return;
  const { registry, config, randomBytes } = context;
  const { secret } = callback;
  const taskId = task.id;
  registry.callbacks.insert({
    taskId,
    owner: ownerKeyOf(task),
    url: url.value,
    origin: new URL(url.value).origin,
    sealedSecret:
      secret === undefined
        ? null
        : sealCallbackSecret(config.callbackKey, taskId, secret, randomBytes),
    state: "waiting",
    dueAt: null,
    attempts: [],
  });
}

/**
 * Lets the callback of a task that has begun anew wait for its next end. What was not delivered of the end before is not
 * delivered any more. The URL of an owner that was ended is not called again: the operator retries its task for itself.
 */
export function awaitNextEnd({ registry }: Context, task: Task): void {
  const callback = registry.callbacks.get(task.id);
  if (callback === null || callback.state === "cancelled") return;
  const state = registry.endedOwners.isEnded(task) ? "cancelled" : "waiting";
  registry.callbacks.update({ ...callback, state, dueAt: null, attempts: [] });
}

/** Makes a task's callback due, in the transaction that ends the task. That of an ended owner's task is given up. */
export function scheduleCallback(context: Context, task: Task): void {
  const { registry, now } = context;
  const callback = registry.callbacks.get(task.id);
  if (callback === null || callback.state === "cancelled") return;
  if (registry.endedOwners.isEnded(task)) return registry.callbacks.cancel(task.id);
  registry.callbacks.update({ ...callback, state: "pending", dueAt: now });
  markCallbacksDue(context);
}
