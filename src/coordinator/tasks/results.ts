import type { Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { err, ok } from "../../base/result.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import { RESULT_UPLOAD_TIMEOUT, RESULT_UPLOADS_PER_TASK_MAX } from "../../protocol/constants.ts";
import type { TaskResult } from "../../protocol/messages.ts";
import { leaseEndsAt } from "../../tasks/lease.ts";
import type { Task } from "../../tasks/task.ts";
import { noteSuccess } from "./attempt-evidence.ts";
import { taskOfTicket } from "./held-task.ts";
import type { Context } from "../kernel/context.ts";
import { learnServiceTime } from "../peers/evidence.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";
import { endTask } from "./leases.ts";
import { recordAttemptEnd } from "../peers/scored-peers.ts";
import { sealedTo } from "./sealing.ts";
import { visibleTask } from "./submit.ts";
import { addToOutbox } from "../kernel/marks.ts";

type Success = Extract<TaskResult, { ok: true }>;

/** Key of a large result in the store. */
export const resultKey = (blobId: string): string => `result:${blobId}`;

/**
 * Ends the attempt and the task successfully. The caller has stored the result's bytes if they are stored elsewhere.
 */
export function succeed(context: Context, task: Task, result: Json, begunAt?: Millis): void {
  const { registry, now } = context;
  const attempt = registry.attempts.end(
    task.id,
    task.fence,
    "succeeded",
    now,
    null,
    begunAt === undefined ? null : Math.min(begunAt, now),
  );
  if (attempt !== null) learnServiceTime(context, task.kind, attempt);
  noteSuccess(context, task.peerId ?? "", task.kind);
  recordAttemptEnd(context, task.peerId ?? "", "success");
  endTask(context, { ...task, progress: 1, result, error: null }, "succeeded");
}

/**
 * What is stored of a result that came in a message. The mesh seals it if the caller asked for that and the peer did
 * not.
 */
export function storedResult(context: Context, task: Task, { result, sealed }: Success): Json {
  const { registry } = context;
  const extra = registry.taskResults.get(task.id);
  if (extra.sealTo === null) return result;
  registry.taskResults.put(task.id, { ...extra, sealed: true });
  return sealed === true ? result : sealedTo(context, extra.sealTo, result);
}

/**
 * Answers whether a peer may upload a large result, and whether the result must be sealed. Renews the lease for the
 * upload.
 */
export const beginResult: Handler<"begin_result"> = (context, claim) => {
  const task = taskOfTicket(context, claim);
  if (!task.ok) return task;
  const { registry, now, randomBytes } = context;
  const { id: taskId } = task.value;
  if (registry.resultUploads.count(taskId) >= RESULT_UPLOADS_PER_TASK_MAX) {
    return err({
      code: "rate_limited",
      detail:
        "too many uploads of this result have begun; wait until the earlier ones have expired",
      retryAfter: RESULT_UPLOAD_TIMEOUT / 1_000,
    });
  }
  // Recorded before the upload is stored, so that an upload that is never committed can be found and deleted.
  const blobId = newOpaqueId(randomBytes);
  registry.resultUploads.insert({ taskId, blobId, begunAt: now });
  registry.tasks.update({ ...task.value, leaseUntil: leaseEndsAt(task.value, now) });
  return ok({ sealed: registry.taskResults.get(taskId).sealTo !== null, blobId });
};

/** A large result has been stored. It is committed once, by the holder of the newest fence, like any other result. */
export const commitResult: Handler<"commit_result"> = (
  context,
  { blobId, bytes, sha256, ...claim },
) => {
  const task = taskOfTicket(context, claim);
  if (!task.ok) return task;
  const { taskResults, resultUploads } = context.registry;
  if (!resultUploads.settle(claim.taskId, blobId)) {
    return err({
      code: "unavailable",
      detail: "the upload took too long; upload the result again",
    });
  }
  const { sealTo } = taskResults.get(claim.taskId);
  taskResults.put(claim.taskId, { sealTo, sealed: sealTo !== null, blobId, bytes, sha256 });
  succeed(context, task.value, null);
  return done;
};

/** Schedules the deletion of uploads that were not committed in time. */
export function deleteExpiredUploads(context: Context): void {
  const { registry, now } = context;
  for (const blobId of registry.resultUploads.takeBegunBefore(now - RESULT_UPLOAD_TIMEOUT))
    addToOutbox(context, { kind: "delete_result", blobId });
}

export const resultDeleted: Handler<"result_deleted"> = ({ registry }, { blobId }) => {
  registry.outbox.remove({ kind: "delete_result", blobId });
  return done;
};

export const readResult: Handler<"read_result"> = (context, { id, visibleTo }) => {
  const task = visibleTask(context, id, visibleTo);
  if (task === null) return notFound("task with this ID");
  if (task.state !== "succeeded")
    return err({ code: "not_found", detail: `the task is ${task.state}: it has no result` });
  return ok({ result: task.result, extra: context.registry.taskResults.get(id) });
};
