import type { z } from "zod";
import { utf8 } from "../../base/bytes.ts";
import { toRfc3339, type Millis } from "../../base/clock.ts";
import { toJsonText } from "../../base/json-text/json-text.ts";
import { writeJson } from "../../base/json-text/write-json.ts";
import { err, ok } from "../../base/result.ts";
import { CALLBACK_ATTEMPTS_MAX, CALLBACK_TIMEOUT } from "../../protocol/constants.ts";
import type { CALLBACK_ANSWERS } from "../../metrics/coordinator-families.ts";
import type { TaskEvent } from "../../protocol/http.ts";
import type { Registry } from "../../registry/registry.ts";
import { ownerKeyOf } from "../../tasks/owner-key.ts";
import { isEnded, type Task } from "../../tasks/task.ts";
import {
  afterAttempt,
  attemptTimeout,
  holdUntil,
  isAcknowledged,
  isCrowded,
  nextAttempt,
  openCallbackSecret,
  RECEIVER_HEALTHS,
  signStandard,
  siteOf,
  takenPlaces,
  type Answer,
  type Callback,
  type CallbackPlace,
  type ReceiverHealth,
  type TakenPlaces,
} from "../../webhooks/index.ts";
import { callableUrl } from "./callback-registration.ts";
import { secretsOfTask } from "./callback-secrets.ts";
import type { CallbackRequest } from "../../contract/webhooks.ts";
import type { Context } from "../kernel/context.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";
import { logLine } from "../kernel/log.ts";
import { taskFields } from "../tracing/log-fields.ts";
import { settleCallback } from "../tracing/queue-spans.ts";
import { traceBelow } from "../tracing/sampling.ts";
import { PLACES } from "../tracing/span.ts";
import { viewOf } from "../tasks/task-view.ts";
import { visibleTask } from "../tasks/submit.ts";
import { checkNotEnding } from "../tasks/end-owner.ts";
import { markCallbacksDue } from "../kernel/marks.ts";

/** After this time an attempt without an outcome counts as cut off and is repeated. The receiver may get it twice. */
export const CUT_OFF_AFTER: Millis = 2 * CALLBACK_TIMEOUT;

/**
 * Claims the next callback that is due and has a place, and returns the request to send. The attempt's beginning is committed before it
 * is made, so that an attempt whose outcome is lost is repeated.
 */
export const claimCallback: Handler<"claim_callback"> = (context, { inProgress, afterOwners }) => {
  for (const health of RECEIVER_HEALTHS) {
    const taken = placesTaken(context, health, inProgress);
    if (taken === null) continue;
    for (;;) {
      const { queues } = context.registry.callbacks;
      const queue = queues.next(health, context.now, taken, afterOwners[health] ?? "");
      if (queue === null) break;
      const request = claimFrom(
        context,
        { ...queue, site: siteOf(queue.origin), health },
        inProgress,
      );
      if (request !== null) return ok({ request });
    }
  }
  return ok({ request: null });
};

/** Who gets no place, also because its callbacks are being given up. */
function placesTaken(
  { registry }: Context,
  health: ReceiverHealth,
  inProgress: readonly CallbackPlace[],
): TakenPlaces | null {
  const taken = takenPlaces(health, inProgress);
  const ending = registry.endedOwners.unfinished().map(({ key }) => key);
  return taken === null ? null : { ...taken, owners: [...taken.owners, ...ending] };
}

/** The request of a queue's next callback, after which the other queues of its owner come first; null if no request can be made. */
function claimFrom(
  context: Context,
  place: CallbackPlace,
  inProgress: readonly CallbackPlace[],
): CallbackRequest | null {
  const { registry, now } = context;
  const { queues } = registry.callbacks;
  const callback = registry.callbacks.due(now, place);
  if (callback === null) {
    // The task was removed with its callback.
    queues.changed(place);
    return null;
  }
  const request = beginAttempt(context, callback);
  if (request === null) return null;
  queues.hold(place, now);
  const failures = queues.receiver(place.origin)?.failures ?? 0;
  const timeoutMs = attemptTimeout(place.health, failures, isCrowded(inProgress));
  return { ...request, ...place, timeoutMs };
}

type Attempt = Omit<CallbackRequest, keyof CallbackPlace | "timeoutMs">;

/** The attempt's request; null when no request can be made, which ends the callback. */
function beginAttempt(context: Context, callback: Callback): Attempt | null {
  const { registry, config, now } = context;
  const task = registry.tasks.get(callback.taskId);
  if (task === null) {
    registry.callbacks.remove(callback.taskId);
    return null;
  }
  if (callback.attempts.length >= CALLBACK_ATTEMPTS_MAX) {
    // The last attempt was cut off.
    giveUp(context, task, callback);
    return null;
  }
  const url = callableUrl(context, callback.url);
  const { sealedSecret, taskId } = callback;
  const secrets =
    sealedSecret === null
      ? secretsOfTask(context, task, callback.origin)
      : [openCallbackSecret(config.callbackKey, taskId, sealedSecret) ?? ""];
  const body = writeJson(eventOf(context, task));
  const headers = signStandard(secrets, { id: deliveryIdOf(task), at: now, body: utf8(body) });
  const attempt = { at: now, endedAt: null, status: null, error: null };
  if (!url.ok || !headers.ok) {
    const error = url.ok ? "the callback's secret does not open any more" : url.error;
    const attempts = [...callback.attempts, { ...attempt, endedAt: now, error }];
    giveUp(context, task, { ...callback, attempts });
    return null;
  }
  const attempts = [...callback.attempts, attempt];
  registry.callbacks.update({ ...callback, dueAt: now + CUT_OFF_AFTER, attempts });
  const trace = traceBelow(config, task, PLACES.callbackAttempt(task.retries, now));
  return {
    taskId,
    retries: task.retries,
    attempt: attempts.length,
    url: url.value,
    headers: { ...headers.value, ...trace },
    body,
  };
}

/** Each end of a task is an event of its own, which a receiver must not take for a repetition of the one before. */
const deliveryIdOf = ({ id, retries }: Task): string =>
  retries === 0 ? id : `${id}-retry-${retries}`;

/** The callback's body: the task as its caller sees it, without its payload, attempts and callback. */
function eventOf(context: Context, task: Task): z.input<typeof TaskEvent> {
  const {
    payload: _payload,
    attempts: _attempts,
    callback: _callback,
    result,
    ...data
  } = viewOf(context, task.id);
  return {
    type: `task.${task.state}` as TaskEvent["type"],
    timestamp: toRfc3339(task.endedAt ?? task.createdAt),
    data: { ...data, result: toJsonText(result) },
  };
}

/** Records the outcome of an attempt. A late acknowledgment counts, too: the receiver has the callback. */
export const callbackAnswered: Handler<"callback_answered"> = (
  context,
  { taskId, retries, attempt, answer },
) => {
  const { registry, now, random } = context;
  const task = registry.tasks.get(taskId);
  const callback = registry.callbacks.get(taskId);
  if (callback !== null) learnFrom(context, callback, answer);
  registry.metrics.count("muster_callback_attempts", [answerOf(answer)]);
  if (task?.retries !== retries) return done;
  const made = callback?.attempts[attempt - 1];
  if (callback?.state !== "pending" || made === undefined || made.endedAt !== null) return done;
  const { status, error } = answer;
  const attempts = callback.attempts.with(attempt - 1, { ...made, endedAt: now, status, error });
  if (isAcknowledged(answer)) {
    settleCallback(context, { ...callback, state: "delivered", dueAt: null, attempts });
    return done;
  }
  // A newer attempt is in flight, and its outcome decides.
  if (attempt < attempts.length) {
    registry.callbacks.update({ ...callback, attempts });
    return done;
  }
  // At an earlier time than before, the job that gives up the callbacks of an ended owner could have passed it already.
  if (registry.endedOwners.isEnding(task)) {
    settleCallback(context, { ...callback, state: "cancelled", dueAt: null, attempts });
    return done;
  }
  const dueAt = nextAttempt(attempt, answer, now, random);
  if (dueAt === null) giveUp(context, task, { ...callback, attempts });
  else registry.callbacks.update({ ...callback, dueAt, attempts });
  return done;
};

/** Ends a callback that no attempt has delivered. */
function giveUp(context: Context, task: Task, callback: Callback): void {
  const { attempts, origin } = callback;
  context.registry.metrics.count("muster_callbacks_failed");
  settleCallback(context, { ...callback, state: "failed", dueAt: null });
  logLine(context, "callback.given_up", {
    ...taskFields(task),
    host: new URL(origin).host,
    attempts: attempts.length,
    status: attempts.at(-1)?.status ?? null,
  });
}

/** An answer as the metrics name it. */
export function answerOf(answer: Answer): (typeof CALLBACK_ANSWERS)[number] {
  if (isAcknowledged(answer)) return "acknowledged";
  return answer.status === null ? "unreachable" : "refused";
}

/** What an answer tells about its receiver, also one that is too late for its callback. */
function learnFrom({ registry, now, random }: Context, callback: Callback, answer: Answer): void {
  const { queues } = registry.callbacks;
  const before = queues.receiver(callback.origin);
  queues.learned(afterAttempt(callback.origin, before, answer, now, random), before);
  const held = holdUntil(answer, now);
  if (held !== null) queues.hold(callback, held);
}

/** Delivers a callback again that was given up or delivered. */
export const repeatCallback: Handler<"repeat_callback"> = (context, { id, visibleTo }) => {
  const { registry, now } = context;
  const task = visibleTask(context, id, visibleTo);
  const callback = task === null ? null : registry.callbacks.get(id);
  if (task === null || callback === null) return notFound("callback of a task with this ID");
  if (!isEnded(task.state) || callback.state === "pending")
    return err({ code: "conflict", detail: "the callback is still being delivered" });
  const free = checkNotEnding(context, ownerKeyOf(task));
  if (!free.ok) return free;
  registry.callbacks.update({ ...callback, state: "pending", dueAt: now, attempts: [] });
  markCallbacksDue(context);
  return ok(viewOf(context, id));
};

/** When callbacks are due next. */
export const nextCallback = ({ callbacks }: Registry, now: Millis): Millis | null =>
  nextLook(callbacks.queues.nextReady(), now);

/** When deliveries are looked at that are due at a time: what is due now is being delivered, and is looked at again in case it is not. */
export const nextLook = (due: Millis | null, now: Millis): Millis | null =>
  due === null || due > now ? due : now + CUT_OFF_AFTER;
