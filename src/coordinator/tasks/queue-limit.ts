import { err, ok, type Result } from "../../base/result.ts";
import type { SubmitInput } from "../../contract/tasks.ts";
import {
  OWNER_QUEUE_MAX,
  OWNER_SHAPES_MAX as SHAPES_MAX,
  QUEUE_MAX,
} from "../../protocol/constants.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Shape } from "../../registry/waiting-tasks.ts";
import { isPeerOwner } from "../../tasks/owner-key.ts";
import { OPERATOR } from "../storage/room.ts";
import type { Context } from "../kernel/context.ts";

/** Retry hint of a full queue, in seconds. */
const QUEUE_RETRY = 5;

/** How many tasks of an owner may be queued. */
export const maxWaitingOf = ({ registry }: Pick<Context, "registry">, owner: string): number =>
  registry.ownerLimits.of(owner).maxWaiting ?? (owner === OPERATOR ? QUEUE_MAX : OWNER_QUEUE_MAX);

/**
 * How many of them may be in this cell: its share of a limit that the operator has set, and at least one task. The default is of a cell,
 * because it is for the database of one.
 */
function maxWaitingHere(context: Context, owner: string): number {
  const { cells, ownerLimits } = context.registry;
  const { maxWaiting } = ownerLimits.of(owner);
  if (maxWaiting === null || isPeerOwner(owner)) return maxWaitingOf(context, owner);
  return Math.max(Math.min(1, maxWaiting), cells.shareOf(`max_waiting ${owner}`, maxWaiting));
}

/** Whether the queue has room for one more task of this owner, and of this kind and these requirements. */
export function checkQueueLimit(
  context: Context,
  owner: string,
  { kind, requirements }: Shape,
): Result<void, MusterError> {
  const { waiting } = context.registry.tasks;
  if (waiting.length >= QUEUE_MAX)
    return err({
      code: "queue_full",
      detail: `${QUEUE_MAX} tasks are queued, the limit; retry later`,
      retryAfter: QUEUE_RETRY,
    });
  // Each assignment may have to look at every shape that a peer could take.
  const many = owner !== OPERATOR && waiting.shapesOf(owner) >= SHAPES_MAX;
  if (many && !waiting.hasShape(owner, { kind, requirements }))
    return err({
      code: "owner_queue_full",
      detail: `the queued tasks of this owner have ${SHAPES_MAX} different combinations of kind and requirements, the limit; use fewer of them, or retry when some tasks have been assigned`,
      retryAfter: QUEUE_RETRY,
    });
  const max = maxWaitingHere(context, owner);
  if (waiting.queuedOf(owner) < max) return ok(undefined);
  return err({
    code: "owner_queue_full",
    detail: `${max} tasks of this owner are queued, ${inWords(max, maxWaitingOf(context, owner))}; retry when some of them have been assigned, or ask the operator for a higher limit`,
    retryAfter: QUEUE_RETRY,
  });
}

/** How many more tasks of this owner, kind and requirements the queue has room for. */
export function placesInQueue(context: Context, owner: string, shape: Shape): number {
  if (!checkQueueLimit(context, owner, shape).ok) return 0;
  const { waiting } = context.registry.tasks;
  const left = maxWaitingHere(context, owner) - waiting.queuedOf(owner);
  return Math.min(left, QUEUE_MAX - waiting.length);
}

const inWords = (max: number, whole: number): string =>
  max === whole
    ? "its limit max_waiting"
    : `the share that this cell has of its limit max_waiting, ${whole}`;

/** Whether the owner's tasks may have this priority. The request itself is valid, so a refusal is a matter of permission. */
export function checkPriority(
  { registry }: Context,
  { owner, task }: SubmitInput,
): Result<void, MusterError> {
  const { maxPriority } = registry.ownerLimits.of(owner);
  if (maxPriority === null || task.priority <= maxPriority) return ok(undefined);
  return err({
    code: "forbidden",
    detail: `priority ${task.priority} is above ${maxPriority}, the max_priority of this token or allowlist entry`,
  });
}
