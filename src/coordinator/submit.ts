import { toHex, utf8 } from "../base/bytes.ts";
import { err, ok } from "../base/result.ts";
import { sha256 } from "../crypto/primitives.ts";
import { IDEMPOTENCY_RETENTION, QUEUE_MAX, TASK_PAYLOAD_BYTES_MAX } from "../protocol/constants.ts";
import type { MusterError } from "../protocol/errors.ts";
import { newUuid } from "../protocol/ids.ts";
import type { Task } from "../tasks/task.ts";
import type { SubmitInput } from "./commands.ts";
import type { Context } from "./context.ts";
import { dispatch } from "./dispatch.ts";
import { notFound, type Handler } from "./handler.ts";
import { taskView } from "./views.ts";

/** Seconds after which a full queue may have room again. */
const QUEUE_RETRY = 5;

/**
 * Takes a task: once this commits it is never lost. A repeated idempotency key answers with the first task, unless
 * the request is another one.
 */
export const submitTask: Handler<"submit_task"> = (context, input) => {
  const { registry, now } = context;
  if (utf8(JSON.stringify(input.task.payload)).length > TASK_PAYLOAD_BYTES_MAX) {
    return err({
      code: "payload_too_large",
      detail: `a task's payload holds at most ${TASK_PAYLOAD_BYTES_MAX} bytes of JSON`,
    });
  }
  const before = remembered(context, input);
  if (before !== null) return before;
  if (registry.tasks.queued() >= QUEUE_MAX) {
    return err({
      code: "queue_full",
      detail: `${QUEUE_MAX} tasks are waiting already`,
      retryAfter: QUEUE_RETRY,
    });
  }
  const task = newTask(context, input);
  registry.tasks.insert(task);
  if (input.idempotency !== null) {
    const { scope, key } = input.idempotency;
    const request = { taskId: task.id, requestHash: requestHash(input) };
    registry.idempotency.put(scope, key, request, now + IDEMPOTENCY_RETENTION);
  }
  if (input.source.startsWith(WEBHOOK))
    registry.webhookSources.countDelivery(input.source.slice(WEBHOOK.length));
  dispatch(context);
  return ok({ task: view(context, task.id), duplicate: false });
};

const WEBHOOK = "webhook:";

function newTask({ now, randomBytes }: Context, { task, source, owner }: SubmitInput): Task {
  return {
    id: newUuid(randomBytes),
    kind: task.kind,
    payload: task.payload,
    state: "queued",
    source,
    owner,
    requirements: task.requirements,
    priority: task.priority,
    createdAt: now,
    deadlineAt: now + Math.round(task.deadline_seconds * 1_000),
    notBefore: now,
    endedAt: null,
    maxAttempts: task.max_attempts,
    leaseMs: Math.round(task.lease_seconds * 1_000),
    fence: 0,
    tries: 0,
    leaseUntil: null,
    peerId: null,
    progress: null,
    result: null,
    error: null,
  };
}

/** What the idempotency key made before; null when it is new, or was kept longer than its task. */
function remembered(context: Context, input: SubmitInput) {
  if (input.idempotency === null) return null;
  const { registry, now } = context;
  const { scope, key } = input.idempotency;
  const before = registry.idempotency.get(scope, key, now);
  if (before === null || registry.tasks.get(before.taskId) === null) return null;
  // A webhook's key is signed: who sends it again means the same delivery, though the mapping has changed since (WH3).
  if (!input.source.startsWith(WEBHOOK) && before.requestHash !== requestHash(input)) {
    return err<MusterError>({
      code: "idempotency_mismatch",
      detail:
        "this idempotency key came before with another request; use a fresh key for a new task",
    });
  }
  return ok({ task: view(context, before.taskId), duplicate: true });
}

/** The request's own text decides; what the mesh fills in does not. zod writes the fields in one order. */
const requestHash = ({ task }: SubmitInput): string => toHex(sha256(utf8(JSON.stringify(task))));

export const getTask: Handler<"get_task"> = (context, { id, visibleTo }) =>
  visibleTask(context, id, visibleTo) === null
    ? notFound("task of this ID")
    : ok(view(context, id));

/** The task, if this owner may see it (null sees all): others' look like none. */
export function visibleTask(
  { registry }: Context,
  id: string,
  visibleTo: string | null,
): Task | null {
  const task = registry.tasks.get(id);
  return task !== null && (visibleTo === null || task.owner === visibleTo) ? task : null;
}

export function view({ registry }: Context, id: string) {
  return taskView(registry.tasks.get(id) as Task, registry.attempts.of(id));
}
