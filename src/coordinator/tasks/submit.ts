import { toHex, utf8, utf8Length } from "../../base/bytes.ts";
import type { Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { jsonFlaw } from "../../base/json-text/flaw.ts";
import { NULL_JSON, textOfJson, toJsonText } from "../../base/json-text/json-text.ts";
import { writeJson } from "../../base/json-text/write-json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { newTaskId } from "../../cells/task-cell.ts";
import { readBundle } from "../../crypto/deploy-bundle.ts";
import { sha256 } from "../../crypto/primitives.ts";
import {
  ATTEMPT_TIMEOUT_DEFAULT,
  IDEMPOTENCY_RETENTION,
  SCHEDULE_AHEAD_MAX,
  RETRY_BACKOFF_DEFAULT,
  RETRY_BACKOFF_MAX_DEFAULT,
  TASK_ATTEMPTS_DEFAULT,
  TASK_INTERRUPTIONS_DEFAULT,
  payloadBytesMax,
  VALUE_DEPTH_MAX,
} from "../../protocol/constants.ts";
import { toProblem, type MusterError } from "../../protocol/errors.ts";
import type { BatchView } from "../../protocol/http.ts";
import { GO_P2P_DEPLOY } from "../../protocol/messages.ts";
import { bytesOfInput } from "../../registry/task-rows.ts";
import type { Task } from "../../tasks/task.ts";
import { canSealTo } from "./sealing.ts";
import { ownerKeyOf, WEBHOOK_SOURCE } from "../../tasks/owner-key.ts";
import { queuePositionOf } from "../../tasks/queue-position.ts";
import { checkCallback, registerCallback } from "../webhooks/callback-registration.ts";
import type { SubmitInput } from "../../contract/tasks.ts";
import type { Context } from "../kernel/context.ts";
import { countRefusal } from "../metrics/command-counts.ts";
import { countSubmitted } from "../metrics/task-counts.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { notFound, type Handler, afterAssignment } from "../kernel/handler.ts";
import { checkPriority, checkQueueLimit } from "./queue-limit.ts";
import { MOVING } from "../moves/forwarded.ts";
import { checkRoom } from "../storage/room.ts";
import { viewOf } from "./task-view.ts";
import { taskSummary } from "./views.ts";

/**
 * Accepts a task: once this commits, the task is never lost. A repeated idempotency key answers with the first task, or
 * with an error when the request differs.
 */
export const submitTask: Handler<"submit_task"> = (context, input) => {
  const accepted = acceptSubmission(context, input);
  if (!accepted.ok) return accepted;
  const { id, duplicate } = accepted.value;
  if (duplicate && context.registry.tasks.get(id) === null) return err(MOVING);
  return afterAssignment(() => ({ task: viewOf(context, id), duplicate }));
};

export const enqueueTask: Handler<"enqueue_task"> = acceptSubmission;

/**
 * Accepts each task of a batch that can be accepted, and answers with an error for each other one: a queue with room for
 * half of the tasks accepts half. Under an idempotency key each task has a key of its own, so that the whole batch can be
 * sent again.
 */
export const submitBatch: Handler<"submit_batch"> = (context, { tasks, idempotency, ...rest }) => {
  const accepted = tasks.map((task, index) =>
    acceptSubmission(context, {
      ...rest,
      task,
      idempotency: idempotency === null ? null : batchItemKey(idempotency, index),
    }),
  );
  for (const one of accepted)
    if (!one.ok) countRefusal(context.registry, "submission", one.error.code);
  return afterAssignment(() => ({
    results: accepted.map((one) => {
      if (!one.ok) return { error: problemOf(one.error) };
      const task = context.registry.tasks.get(one.value.id);
      // It is a duplicate, and has moved to another cell.
      if (task === null) return { error: problemOf(MOVING) };
      return { task: taskSummary(task), duplicate: one.value.duplicate };
    }),
  }));
};

type Idempotency = NonNullable<SubmitInput["idempotency"]>;

/**
 * The idempotency key of one task of a batch. It lies in a scope of its own, which no single task's key can name: the key
 * `order/0` of a single task is not item 0 of the batch `order`.
 */
export const batchItemKey = ({ scope, key }: Idempotency, index: number): Idempotency => ({
  scope: `${scope} batch`,
  key: `${key}/${index}`,
});

/** The problem document of an error, without members that are undefined. */
const problemOf = (error: MusterError): BatchError => ({ ...toProblem(error) }) as BatchError;

type BatchError = Extract<BatchView["results"][number], { error: unknown }>["error"];

interface Accepted {
  readonly id: string;
  readonly duplicate: boolean;
}

/** Writes one task, or refuses it before anything is written. */
export function acceptSubmission(
  context: Context,
  input: SubmitInput,
): Result<Accepted, MusterError> {
  const { registry, now } = context;
  const payload = textOfJson(input.task.payload);
  const { kind } = input.task;
  const bytesMax = payloadBytesMax(kind === GO_P2P_DEPLOY);
  if (utf8Length(payload) > bytesMax) {
    return err({
      code: "payload_too_large",
      detail: `the payload of a task of the kind ${kind} holds at most ${bytesMax} bytes of JSON`,
    });
  }
  const before = previousSubmission(context, input);
  if (before !== null) return before;
  const flaw = jsonFlaw(payload, "payload", VALUE_DEPTH_MAX);
  if (flaw !== null)
    return err({
      code: "invalid_request",
      detail: `${flaw.path}: ${flaw.message}`,
      issues: [flaw],
    });
  if (kind === GO_P2P_DEPLOY) {
    const bundle = readBundle(JSON.parse(payload) as Json);
    if (!bundle.ok) return bundle;
  }
  if (notBefore(context, input) - now > SCHEDULE_AHEAD_MAX) {
    return err({ code: "invalid_request", detail: "not_before is more than 30 days ahead" });
  }
  if (input.task.seal_to !== undefined && !canSealTo(context, input.task.seal_to))
    return err({
      code: "bad_key",
      detail: "seal_to: this X25519 key has low order; nothing can be sealed to it",
    });
  const callable = checkCallback(context, input.task.callback);
  if (!callable.ok) return callable;
  const permitted = checkPriority(context, input);
  if (!permitted.ok) return permitted;
  const queue = checkQueueLimit(context, input.owner, input.task);
  if (!queue.ok) return queue;
  const trace = input.trace ?? null;
  const bytes = bytesOfInput(payload, JSON.stringify(input.task.requirements), trace);
  const room = checkRoom(context, ownerKeyOf(input), bytes);
  if (!room.ok) return room;
  const task = newTask(context, input);
  registry.tasks.insert(task);
  countSubmitted(context, task);
  registry.taskResults.accepted(task.id);
  registry.callbacks.accepted(task.id);
  markWorkAvailable(context);
  registerCallback(context, task, input.task.callback);
  const { seal_to: sealTo } = input.task;
  if (sealTo !== undefined) registry.taskResults.sealTo(task.id, sealTo);
  if (input.idempotency !== null) {
    const { scope, key } = input.idempotency;
    const request = { taskId: task.id, requestHash: requestHash(input) };
    registry.idempotency.put(scope, key, request, now + IDEMPOTENCY_RETENTION);
  }
  if (input.source.startsWith(WEBHOOK_SOURCE))
    registry.webhookSources.countDelivery(input.source.slice(WEBHOOK_SOURCE.length));
  recordSubmitter(context, task);
  return ok({ id: task.id, duplicate: false });
}

/** The audit log says who submits tasks, once a day for each owner. What each one submitted its tasks say. */
function recordSubmitter({ registry, now, actor }: Context, task: Task): void {
  const subject = ownerKeyOf(task);
  if (!registry.submitters.isToRecord(subject, now)) return;
  const detail = { first: task.id, kind: task.kind, source: task.source };
  // A delivery has no caller that the mesh knows but its source.
  const by = task.source.startsWith(WEBHOOK_SOURCE) ? subject : actor;
  const act = { actor: by, act: "submit_tasks", subject, outcome: "ok", detail };
  registry.audit.add(act, actor === "admin" ? "operator" : "listed", now);
}

/** The time from which the task may be offered. A time in the past means now. */
const notBefore = ({ now }: Context, { task }: SubmitInput): Millis =>
  task.not_before === undefined ? now : Math.max(now, Date.parse(task.not_before));

function newTask(context: Context, input: SubmitInput): Task {
  const { now, randomBytes, registry } = context;
  const { task, source, owner } = input;
  const from = notBefore(context, input);
  return {
    id: newTaskId(randomBytes, registry.cells.own),
    kind: task.kind,
    payload: task.payload,
    payloadDropped: false,
    state: "queued",
    source,
    owner,
    trace: input.trace ?? null,
    ...(input.considered !== undefined && { considered: input.considered }),
    requirements: task.requirements,
    priority: task.priority,
    concurrency: task.concurrency ?? null,
    queuePosition: queuePositionOf(task.priority, from),
    createdAt: now,
    deadlineAt: from + Math.round(task.deadline_seconds * 1_000),
    notBefore: from,
    endedAt: null,
    maxAttempts: task.max_attempts,
    retries: 0,
    retriedAt: null,
    leaseMs: Math.round(task.lease_seconds * 1_000),
    backoffMs: Math.round((task.backoff?.first_seconds ?? RETRY_BACKOFF_DEFAULT / 1_000) * 1_000),
    backoffMaxMs: Math.round(
      (task.backoff?.max_seconds ?? RETRY_BACKOFF_MAX_DEFAULT / 1_000) * 1_000,
    ),
    attemptTimeoutMs:
      task.attempt_timeout_seconds === undefined
        ? (registry.kindSettings.get(task.kind)?.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_DEFAULT)
        : Math.round(task.attempt_timeout_seconds * 1_000),
    fence: 0,
    lastFence: 0,
    attemptsUsed: 0,
    interruptions: 0,
    maxInterruptions: task.max_interruptions ?? TASK_INTERRUPTIONS_DEFAULT,
    attemptUntil: null,
    leaseUntil: null,
    prefetched: false,
    peerId: null,
    progress: null,
    message: null,
    result: NULL_JSON,
    error: null,
  };
}

/** The task that the idempotency key made before; null when the key is new or its task has been deleted. */
function previousSubmission(
  context: Context,
  input: SubmitInput,
): Result<Accepted, MusterError> | null {
  if (input.idempotency === null) return null;
  const { registry, now } = context;
  const { scope, key } = input.idempotency;
  const before = registry.idempotency.get(scope, key, now);
  if (before === null || !isKnown(context, before.taskId)) return null;
  // A webhook's key is signed: the same key is the same delivery, even if the mapping has changed since (WH3).
  if (!input.source.startsWith(WEBHOOK_SOURCE) && !isSameRequest(input, before.requestHash))
    return err(MISMATCH);
  return ok({ id: before.taskId, duplicate: true });
}

/** Whether the task is here, or has moved to another cell. */
const isKnown = ({ registry }: Context, id: string): boolean =>
  registry.tasks.get(id) !== null || registry.taskForwards.get(id) !== null;

export const MISMATCH: MusterError = {
  code: "idempotency_mismatch",
  detail: "this idempotency key was used with a different request; use a new key for a new task",
};

/** Only the request decides, not what the mesh adds to it. zod writes the fields in one order, and the payload is as it came. */
const requestHash = ({ task }: Pick<SubmitInput, "task">): string =>
  `${EXACT_HASH}${hashOf(writeJson({ ...task, payload: toJsonText(task.payload) }))}`;

const hashOf = (text: string): string => toHex(sha256(utf8(text)));

/** Distinguishes these hashes from those of an older mesh, which parsed the payload and wrote it again. */
const EXACT_HASH = "exact:";
/** What `max_attempts` was in those requests if their callers left it out. */
const ATTEMPTS_DEFAULT_BEFORE = 3;

export function isSameRequest(input: Pick<SubmitInput, "task">, stored: string): boolean {
  if (stored.startsWith(EXACT_HASH)) return stored === requestHash(input);
  const task = { ...input.task, payload: JSON.parse(textOfJson(input.task.payload)) as unknown };
  const attempts = [task.max_attempts];
  if (task.max_attempts === TASK_ATTEMPTS_DEFAULT) attempts.push(ATTEMPTS_DEFAULT_BEFORE);
  return attempts.some(
    (max_attempts) => stored === hashOf(JSON.stringify({ ...task, max_attempts })),
  );
}

export const getTask: Handler<"get_task"> = (context, { id, visibleTo }) =>
  visibleTask(context, id, visibleTo) === null
    ? notFound("task with this ID")
    : ok(viewOf(context, id));

/** The task, if this owner may see it (null sees every task). A task of another owner looks like an absent one. */
export function visibleTask(
  { registry }: Context,
  id: string,
  visibleTo: string | null,
): Task | null {
  const task = registry.tasks.get(id);
  return task !== null && (visibleTo === null || task.owner === visibleTo) ? task : null;
}
