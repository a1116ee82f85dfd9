import type { Millis } from "../../base/clock.ts";
import { exactJsonOf, NULL_JSON, type ExactJson } from "../../base/json-text/json-text.ts";
import { err, ok } from "../../base/result.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import type { Input } from "../../contract/commands.ts";
import {
  KEPT_RESULT_BYTES_MAX,
  RESULT_UPLOAD_TIMEOUT,
  RESULT_UPLOADS_PER_ATTEMPT_MAX,
} from "../../protocol/constants.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { TaskResult } from "../../protocol/messages.ts";
import type { ResultContent } from "../../protocol/result-content.ts";
import { leaseEndsAt } from "../../tasks/lease.ts";
import { ownerKeyOf } from "../../tasks/owner-key.ts";
import type { Task } from "../../tasks/task.ts";
import { noteSuccess } from "./attempt-evidence.ts";
import { taskOfTicket } from "./held-task.ts";
import type { Context } from "../kernel/context.ts";
import { countAttemptEnd } from "../metrics/task-counts.ts";
import { learnServiceTime } from "../peers/evidence.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";
import { endTask } from "./leases.ts";
import { admissionOf, peerOf, recordAttemptEnd } from "../peers/scored-peers.ts";
import { removeTask } from "../storage/make-room.ts";
import { sealedTo } from "./sealing.ts";
import { visibleTask } from "./submit.ts";
import { deleteResult } from "../kernel/marks.ts";

type Success = Extract<TaskResult, { ok: true }>;

/** Key of a large result in the store. */
export const resultKey = (blobId: string): string => `result:${blobId}`;

/**
 * Ends the attempt and the task successfully. The caller has stored the result's bytes if they are stored elsewhere.
 */
export function succeed(context: Context, task: Task, result: ExactJson, begunAt?: Millis): void {
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
  countAttemptEnd(context, task, "succeeded");
  noteSuccess(context, task.peerId ?? "", task.kind);
  recordAttemptEnd(context, task.peerId ?? "", "success");
  endTask(context, { ...task, progress: 1, result, error: null }, "succeeded");
}

/**
 * What is stored of a result that came in a message. The mesh seals it if the caller asked for that and the peer did
 * not.
 */
export function storedResult(context: Context, task: Task, { result, sealed }: Success): ExactJson {
  const { registry } = context;
  const extra = registry.taskResults.get(task.id);
  if (extra.sealTo === null) return result;
  registry.taskResults.put(task.id, { ...extra, sealed: true });
  return sealed === true ? result : exactJsonOf(sealedTo(context, extra.sealTo, result));
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
  // Of this attempt: a peer before it may have begun many uploads and completed none.
  const attempt = registry.attempts.of(taskId).find(({ fence }) => fence === claim.fence);
  const begun = registry.resultUploads.countSince(taskId, attempt?.startedAt ?? 0);
  if (begun >= RESULT_UPLOADS_PER_ATTEMPT_MAX) {
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
  const { sealTo } = registry.taskResults.get(taskId);
  return ok({ sealed: sealTo !== null, sealTo, blobId });
};

/** The bytes of a large result are in the store. They become the result when the peer's session names them. */
export const resultUploaded: Handler<"result_uploaded"> = (
  context,
  { blobId, bytes, sha256, ...claim },
) => {
  const task = taskOfTicket(context, claim);
  if (!task.ok) return task;
  if (context.registry.resultUploads.stored(claim.taskId, blobId, { bytes, sha256 })) return done;
  return err({
    code: "unavailable",
    detail: "the upload took too long; upload the result again",
  });
};

/**
 * Commits an uploaded result: the bytes that the peer names in its session, and no others. Whatever else was uploaded under this
 * attempt stays uncommitted, and is deleted later.
 */
export function commitUploaded(
  context: Context,
  task: Task,
  content: ResultContent,
  { sealed = false }: Pick<Success, "sealed">,
  { begunAt, forPeer = false }: Pick<Input<"finish_task">, "begunAt" | "forPeer">,
): ReturnType<Handler<"finish_task">> {
  const { taskResults, resultUploads } = context.registry;
  const { sealTo } = taskResults.get(task.id);
  if (sealed !== (sealTo !== null)) {
    const detail = sealed
      ? "this task gives no key to seal its result to: upload the result as JSON"
      : "the result must be sealed to the caller's key (seal_to of the offer)";
    return err({ code: "invalid_request", detail });
  }
  const upload = resultUploads.take(task.id, content);
  if (upload === null) {
    const detail = `no upload of this task has stored ${content.bytes} bytes with the SHA-256 ${content.sha256}; upload the result again`;
    return err({ code: "conflict", detail });
  }
  const { blobId, begunAt: uploadBegunAt } = upload;
  taskResults.put(task.id, { sealTo, sealed, blobId, ...content, uploadBegunAt });
  if (forPeer) taskResults.keptFor(task.id, ownerKeyOf(task), context.now);
  succeed(context, task, NULL_JSON, begunAt);
  if (forPeer) limitKept(context, ownerKeyOf(task));
  return done;
}

/** The oldest tasks of an owner give way, with their results, when what the mesh has stored for its peers is more than its share. */
function limitKept(context: Context, owner: string): void {
  const { taskResults, tasks } = context.registry;
  for (let left = taskResults.bytesKeptFor(owner); left > KEPT_RESULT_BYTES_MAX;) {
    const oldest = taskResults.oldestKeptFor(owner);
    const task = oldest === null ? null : tasks.ended.get(oldest.taskId);
    if (oldest === null || task === null) return;
    removeTask(context, task);
    left -= oldest.bytes;
  }
}

/** Schedules the deletion of uploads that were not committed in time. */
export function deleteExpiredUploads(context: Context): void {
  const { registry, now } = context;
  for (const blobId of registry.resultUploads.takeBegunBefore(now - RESULT_UPLOAD_TIMEOUT))
    deleteResult(context, blobId);
}

export const resultDeleted: Handler<"result_deleted"> = ({ registry }, { blobId }) => {
  registry.outbox.remove({ kind: "delete_result", blobId });
  return done;
};

export const readResult: Handler<"read_result"> = (context, { id, visibleTo }) =>
  resultOf(context, visibleTask(context, id, visibleTo));

/**
 * The result for the peer that submitted the task over its session, by the ticket of the task. Tickets do not expire: whether the peer
 * may still submit tasks, and so read their results, is decided now.
 */
export const readOwnResult: Handler<"read_own_result"> = (context, { id, peerId }) => {
  const peer = peerOf(context, peerId);
  const admitted = peer === null ? REMOVED : admissionOf(context, peer);
  if (!admitted.ok) return err(admitted.error);
  if (!admitted.value.mayAssign) return err(NO_CONTROLLER);
  return resultOf(context, visibleTask(context, id, peer?.id ?? peerId));
};

const REMOVED = err<MusterError>({
  code: "unauthorized",
  detail: "the peer of this ticket was removed from the mesh",
});

const NO_CONTROLLER: MusterError = {
  code: "forbidden",
  detail:
    "this peer's allowlist entry does not let it submit tasks any more, nor read their results",
};

function resultOf({ registry }: Context, task: Task | null): ReturnType<Handler<"read_result">> {
  if (task === null) return notFound("task with this ID");
  const { id, state, result, fence } = task;
  if (state !== "succeeded")
    return err({ code: "not_found", detail: `the task is ${state}: it has no result` });
  return ok({ result, extra: registry.taskResults.get(id), fence });
}
