/** The messages about tasks: between the mesh and a worker (offer to cancel), and from a controller (assign to shown). */
import { z } from "zod";
import {
  DEPLOY_PAYLOAD_BYTES_MAX,
  PROGRESS_MESSAGE_CHARS_MAX,
  TASK_ERROR_CHARS_MAX,
} from "./constants.ts";
import { ExactValue } from "./envelope.ts";
import { SubmitTask } from "./http/task-request.ts";
import { RetryTask, TaskView } from "./http/tasks.ts";
import { IdempotencyKey, PublicKeyHex, Uuid } from "./ids.ts";
import { TaskKind } from "./labels.ts";
import { ResultContent } from "./result-content.ts";
import { tolerant } from "./schema/strictness.ts";
import { TRACEPARENT_CHARS_MAX, TRACESTATE_READ_CHARS_MAX } from "./trace-context.ts";

/** The fencing number of an attempt; it only grows. Every message about an attempt names it. */
const Fence = z.int().positive();
const TaskRef = { task_id: Uuid, fence: Fence };

/** An attempt that a peer is still working on when it reconnects. */
export const HeldTask = z.object(TaskRef);
export type HeldTask = z.infer<typeof HeldTask>;

/** The trace that a task belongs to, as the mesh has read it (`trace-context.ts`). Anything else is ignored, and refuses no offer. */
const Trace = {
  traceparent: z
    .string()
    .regex(/^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/)
    .optional()
    .catch(undefined),
  tracestate: z
    .string()
    .regex(/^[ -~]{1,512}$/)
    .optional()
    .catch(undefined),
};
/** The trace as a controller names it: the coordinator reads it like headers. */
const GivenTrace = {
  traceparent: z.string().max(TRACEPARENT_CHARS_MAX).optional().catch(undefined),
  tracestate: z.string().max(TRACESTATE_READ_CHARS_MAX).optional().catch(undefined),
};

/** A payload that the message does not hold: the JSON's bytes in UTF-8, which the peer fetches over HTTP. */
export const PayloadRef = z.object({
  bytes: z.int().min(1).max(DEPLOY_PAYLOAD_BYTES_MAX),
  sha256: ResultContent.shape.sha256,
});
export type PayloadRef = z.infer<typeof PayloadRef>;

export const TaskOffer = z.object({
  ...TaskRef,
  kind: TaskKind,
  payload: ExactValue,
  /** Instead of `payload`, if the offer would be larger than the peer's `max_frame`. */
  payload_ref: PayloadRef.optional(),
  attempt: z.int().positive(),
  lease_seconds: z.number().positive(),
  /** How long the attempt may take from its start to its end, whatever progress it reports. */
  attempt_timeout_seconds: z.number().positive().optional(),
  /** The X25519 public key to which the worker seals the result, so that only the caller can read it. */
  seal_to: PublicKeyHex.optional(),
  /**
   * The secret for the upload of a result that is not sent in a message, and for the download of a payload that is not in this one
   * (`crypto/result-tickets.ts`). It is for this attempt only, and is never sent over HTTP.
   */
  upload: z.string().max(200).optional(),
  ...Trace,
});
export type TaskOffer = z.infer<typeof TaskOffer>;

/** `queued`: accepted but not started, because all slots are busy. The mesh may move it to a peer that is free sooner. */
const Queued = { queued: z.boolean().optional() };
const TaskAccept = z.object({ ...TaskRef, ...Queued });
const TaskRefuse = z.object({ ...TaskRef, reason: z.string().max(500) });
/**
 * The peer gives the task up because it drains or closes. `begun`: whether it may have begun it. Neither the peer nor the
 * task has failed: the mesh offers the task to another peer at once.
 */
const TaskRelease = z.object({ ...TaskRef, reason: z.string().max(500), begun: z.boolean() });
const TaskProgress = z.object({
  ...TaskRef,
  progress: z.number().min(0).max(1).optional(),
  message: z.string().max(PROGRESS_MESSAGE_CHARS_MAX).optional(),
  ...Queued,
});

/**
 * `sealed`: `result` is not the JSON itself, but the base64 of an STMF container that holds it. `uploaded`: the result was uploaded,
 * and these are its bytes; `result` is null.
 */
const Sealed = { sealed: z.boolean().optional(), uploaded: ResultContent.optional() };
export const TaskResult = z.discriminatedUnion("ok", [
  z.object({ ...TaskRef, ok: z.literal(true), result: ExactValue, ...Sealed }),
  z.object({
    ...TaskRef,
    ok: z.literal(false),
    error: z.string().max(TASK_ERROR_CHARS_MAX),
    retry: z.boolean().default(true),
  }),
]);
export type TaskResult = z.infer<typeof TaskResult>;

/** The mesh asks for a task that waits for a slot. The peer releases it, unless it has begun it. */
const TaskReturn = z.object(TaskRef);
const TaskCancel = z.object({ ...TaskRef, reason: z.string().max(500) });

/**
 * A controller submits a task over its session. Repeating the message under the same key submits it once. Unknown fields are skipped,
 * as in every message: the SDK refuses them before it sends the message.
 */
const TaskAssign = z.object({
  task: tolerant(SubmitTask),
  idempotency_key: IdempotencyKey.optional(),
  ...GivenTrace,
});
/** Asks for the state of a task that this peer submitted, or (as `task_recall`) cancels it. */
const TaskQuery = z.object({ task_id: Uuid });
/** Puts a task that this peer submitted and that ended without success back into the queue. */
const TaskRetry = TaskQuery.extend(tolerant(RetryTask).shape);
/** Fields of a task that a message leaves out if it would be larger than the peer's `max_frame`. */
export const OMITTED_FIELDS = [
  "payload",
  "attempts",
  "callback",
  "requirements",
  "concurrency",
  "tracestate",
  "message",
  "error",
] as const;
export type OmittedField = (typeof OMITTED_FIELDS)[number];

/** The answer to `task_assign`, `task_query`, `task_recall` and `task_retry`; also sent when a task that this peer submitted ends. */
const TaskShown = z.object({
  task: TaskView,
  /** The fields that are empty here (`error`: cut) because the message would be too large. Absent: none. */
  omitted: z.array(z.string().max(64)).max(64).optional(),
  /** The secret for the download of a result that is not part of the task. It is never sent over HTTP. */
  ticket: z.string().max(200).optional(),
});

export const TASK_PAYLOADS = {
  task_offer: TaskOffer,
  task_accept: TaskAccept,
  task_refuse: TaskRefuse,
  task_release: TaskRelease,
  task_progress: TaskProgress,
  task_result: TaskResult,
  task_return: TaskReturn,
  task_cancel: TaskCancel,
  task_assign: TaskAssign,
  task_query: TaskQuery,
  task_recall: TaskQuery,
  task_retry: TaskRetry,
  task_shown: TaskShown,
} as const;
