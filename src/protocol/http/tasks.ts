import { z } from "zod";
import {
  ATTEMPT_TIMEOUT_DEFAULT,
  PROGRESS_MESSAGE_CHARS_MAX,
  TASK_ATTEMPTS_MAX,
  TASK_DEADLINE_MAX,
  TASK_INTERRUPTIONS_DEFAULT,
  WAIT_SECONDS_MAX,
} from "../constants.ts";
import { ExactValue } from "../envelope.ts";
import { PeerId, Uuid } from "../ids.ts";
import { TaskKind } from "../labels.ts";
import { nullOr } from "../schema/null-or.ts";
import { tolerant } from "../schema/strictness.ts";
import { CallbackView } from "./callbacks.ts";
import { ProblemView } from "./mesh.ts";
import { Backoff, Concurrency, Requirements } from "./task-request.ts";
import { MissingCells, NextCursor, Page, Time } from "./page.ts";
import { queryNumber } from "./query-number.ts";

export const TASK_STATES = [
  "queued",
  "leased",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "expired",
] as const;
export const TaskState = z.enum(TASK_STATES);
export type TaskState = z.infer<typeof TaskState>;

const ATTEMPT_STATES = [
  "offered",
  "prefetched",
  "running",
  "succeeded",
  "failed",
  "timed_out",
  "refused",
  "unanswered",
  "lost",
  "abandoned",
  "reclaimed",
  "cancelled",
] as const;
export const AttemptView = z
  .object({
    attempt: z.int().positive(),
    peer_id: PeerId,
    peer_name: z.string(),
    score: z.number().meta({ description: "The peer's score at the time of the choice" }),
    state: z.enum(ATTEMPT_STATES).meta({
      description:
        "`failed` and `timed_out` count against `max_attempts`; `lost` (with the peer) and `abandoned` (by the peer) against `max_interruptions`; `refused`, `unanswered` and `reclaimed` were never begun",
    }),
    started_at: Time,
    ended_at: Time.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: "Attempt" });
export type AttemptView = z.infer<typeof AttemptView>;

export const TaskView = z
  .object({
    id: Uuid,
    kind: TaskKind,
    payload: ExactValue,
    payload_dropped: z.boolean().default(false).meta({
      description:
        "Whether the payload was dropped some time after the task's end: it is null, and the task can't be retried",
    }),
    state: TaskState,
    source: z.string().meta({
      description: "`api`, `peer` (over its session), or `webhook:` and the name of the source",
    }),
    owner: z.string().nullable().default(null).meta({
      description:
        "Who submitted the task: the ID of a token or a peer, or `admin` (also for webhooks); null: the mesh has an older version",
    }),
    traceparent: z.string().nullable().default(null).meta({
      description:
        "The trace that the submission belongs to (W3C Trace Context), in the form of version 00",
    }),
    tracestate: z.string().nullable().default(null),
    requirements: tolerant(Requirements),
    priority: z.int(),
    concurrency: tolerant(Concurrency).nullable().default(null),
    created_at: Time,
    not_before: Time.meta({
      description:
        "The task is not offered before this time: as requested, or because of the pause between attempts",
    }),
    deadline_at: Time,
    ended_at: Time.nullable(),
    max_attempts: z.int(),
    retries: z.int().default(0).meta({
      description: "How often the task was put back into the queue after its end",
    }),
    attempts_used: z.int().default(0).meta({ description: "Attempts that failed or timed out" }),
    max_interruptions: z.int().default(TASK_INTERRUPTIONS_DEFAULT),
    interruptions: z.int().default(0).meta({
      description: "Begun attempts that were lost with their peers, or abandoned by them",
    }),
    attempt_timeout_seconds: z.number().default(ATTEMPT_TIMEOUT_DEFAULT / 1_000),
    backoff: tolerant(Backoff),
    lease_seconds: z.number(),
    peer_id: PeerId.nullable().meta({
      description: "The peer that has the lease, or that ended the task",
    }),
    progress: z.number().nullable(),
    message: z.string().max(PROGRESS_MESSAGE_CHARS_MAX).nullable().meta({
      description: "The peer's last progress message",
    }),
    result: ExactValue,
    error: z.string().nullable(),
    attempts: z.array(AttemptView),
    callback: nullOr(CallbackView).default(null),
    result_sealed: z.boolean().default(false).meta({
      description: "Whether `result` is an STMF container in base64, which the caller's key opens",
    }),
    result_bytes: z.int().nullable().default(null).meta({
      description: "The size of a result that is too large for this response",
    }),
    result_url: z.string().nullable().default(null).meta({
      description: "The path of such a result, relative to the mesh's URL",
    }),
    result_sha256: z.string().nullable().default(null).meta({
      description: "SHA-256 of such a result's bytes, in base64",
    }),
    result_signature: z.string().nullable().default(null).meta({
      description:
        "The mesh's Ed25519 signature (hex) of such a result: task, fence, digest, size, whether it is sealed. See docs/tasks.md",
    }),
    result_fence: z.int().nullable().default(null).meta({
      description: "The fencing number of the attempt that made such a result",
    }),
  })
  .meta({ id: "Task" });
export type TaskView = z.infer<typeof TaskView>;

/** A task in a list, without its large fields and lists. `GET /v1/tasks/:id` shows them. */
export const TaskSummary = TaskView.omit({
  payload: true,
  tracestate: true,
  result: true,
  attempts: true,
  callback: true,
  result_sealed: true,
  result_bytes: true,
  result_url: true,
  result_sha256: true,
  result_signature: true,
  result_fence: true,
}).meta({ id: "TaskSummary" });
export type TaskSummary = z.infer<typeof TaskSummary>;

/**
 * The event that a callback receives when a task ends: the same bytes in each attempt. `webhook-id` is the task's ID, followed by
 * `-retry-` and `retries` if the task was retried.
 */
export const TaskEvent = z
  .object({
    type: z.enum(["task.succeeded", "task.failed", "task.cancelled", "task.expired"]),
    timestamp: Time.meta({ description: "When the task ended" }),
    data: TaskView.omit({ payload: true, attempts: true, callback: true })
      .partial()
      // A receiver can rely on these fields; a mesh of another version may omit others.
      .required({ id: true, kind: true, state: true, ended_at: true, error: true, result: true }),
  })
  .meta({ id: "TaskEvent" });
export type TaskEvent = z.infer<typeof TaskEvent>;

/** Fields that are absent keep the task's own values. */
export const RetryTask = z
  .strictObject({
    max_attempts: z.int().min(1).max(TASK_ATTEMPTS_MAX).optional(),
    deadline_seconds: z
      .number()
      .positive()
      .max(TASK_DEADLINE_MAX / 1_000)
      .optional()
      .meta({ description: "Counted from the retry; default: as long as the first deadline" }),
  })
  .meta({ id: "RetryRequest" });
export type RetryTask = z.infer<typeof RetryTask>;

export const TaskQuery = Page.extend({
  state: TaskState.optional(),
  kind: TaskKind.optional(),
  source: z
    .string()
    .max(80)
    .optional()
    .meta({ description: "`api`, `peer`, or `webhook:` and the name of a source" }),
  owner: z
    .string()
    .max(100)
    .optional()
    .meta({ description: "A token's ID, a peer's ID, or `admin`" }),
  peer_id: PeerId.optional().meta({ description: "This peer has the lease, or ended the task" }),
  created_after: z.iso.datetime({ offset: true }).optional(),
  created_before: z.iso.datetime({ offset: true }).optional(),
});

/** Each task of a batch has its own outcome, in the order of the request. */
export const BatchView = z
  .object({
    results: z.array(
      z.union([
        z.object({ task: TaskSummary, duplicate: z.boolean() }),
        z.object({ error: ProblemView }),
      ]),
    ),
  })
  .meta({ id: "TaskBatch" });
export type BatchView = z.infer<typeof BatchView>;
export const WaitQuery = z.strictObject({
  wait: queryNumber(0, WAIT_SECONDS_MAX)
    .optional()
    .meta({ description: "How many seconds to wait for the task to end before answering" }),
});

export const TaskList = z
  .object({ tasks: z.array(TaskSummary), next_cursor: NextCursor, missing_cells: MissingCells })
  .meta({ id: "TaskList" });
