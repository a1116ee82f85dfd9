import { z } from "zod";
import {
  ATTEMPT_TIMEOUT_DEFAULT,
  AVOIDED_PEERS_MAX,
  BATCH_MAX,
  CAPABILITIES_MAX,
  LEASE_DEFAULT,
  LEASE_MAX,
  PRIORITY_MAX,
  PROGRESS_MESSAGE_CHARS_MAX,
  RETRY_BACKOFF_DEFAULT,
  RETRY_BACKOFF_CEILING,
  RETRY_BACKOFF_MAX_DEFAULT,
  TASK_ATTEMPTS_DEFAULT,
  TASK_ATTEMPTS_MAX,
  TASK_DEADLINE_DEFAULT,
  TASK_DEADLINE_MAX,
  TASK_INTERRUPTIONS_DEFAULT,
  TASK_INTERRUPTIONS_MAX,
  WAIT_SECONDS_MAX,
} from "../constants.ts";
import { JsonValue } from "../envelope.ts";
import { PeerId, PublicKeyHex, Uuid } from "../ids.ts";
import { CapabilityRequirement, TaskKind } from "../labels.ts";
import { CallbackBody, CallbackView } from "./callbacks.ts";
import { ProblemView } from "./mesh.ts";
import { NextCursor, Page, Time } from "./page.ts";

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

export const Requirements = z
  .object({
    capabilities: z.array(CapabilityRequirement).max(CAPABILITIES_MAX).default([]).meta({
      description:
        "The peer must have all of these labels: `gpu` (with or without a value), `arch=arm64`, `memory_gib>=16` (also <=, >, <)",
    }),
    peer_id: PeerId.optional().meta({ description: "Only this peer may run the task" }),
    avoid: z
      .array(PeerId)
      .max(AVOIDED_PEERS_MAX)
      .optional()
      .meta({ description: "These peers may not run the task" }),
    role: z
      .enum(["worker", "dual"])
      .optional()
      .meta({ description: "Only peers of this role may run the task" }),
    min_score: z.number().min(0).max(1).optional(),
    near: z
      .union([
        z.strictObject({
          latitude: z.number().min(-90).max(90),
          longitude: z.number().min(-180).max(180),
        }),
        z.strictObject({ peer_id: PeerId }),
      ])
      .optional()
      .meta({
        description: "Among the best peers, prefer those near this location, or near this peer",
      }),
  })
  .meta({ id: "Requirements" });
export type Requirements = z.infer<typeof Requirements>;

const seconds = (max: number) =>
  z
    .number()
    .min(0)
    .max(max / 1_000);

/** The pause before the next attempt of a failed task. It doubles with each attempt, up to the maximum. */
const Backoff = z
  .object({
    first_seconds: seconds(RETRY_BACKOFF_CEILING).default(RETRY_BACKOFF_DEFAULT / 1_000),
    max_seconds: seconds(RETRY_BACKOFF_CEILING).default(RETRY_BACKOFF_MAX_DEFAULT / 1_000),
  })
  .meta({ id: "Backoff" });

// A field that is added later has no default here: an idempotency key stores the request's hash, which must not change.
export const SubmitTask = z
  .object({
    kind: TaskKind,
    payload: JsonValue.default(null),
    requirements: Requirements.default({ capabilities: [] }),
    priority: z.int().min(-PRIORITY_MAX).max(PRIORITY_MAX).default(0).meta({
      description: "A higher priority runs first; one step equals one minute of waiting",
    }),
    not_before: z.iso.datetime({ offset: true }).optional().meta({
      description: "The task is not offered to a peer before this time, at most 30 days ahead",
    }),
    deadline_seconds: z
      .number()
      .positive()
      .max(TASK_DEADLINE_MAX / 1_000)
      .default(TASK_DEADLINE_DEFAULT / 1_000)
      .meta({ description: "The task expires if it has not ended this long after `not_before`" }),
    backoff: Backoff.optional(),
    max_attempts: z.int().min(1).max(TASK_ATTEMPTS_MAX).default(TASK_ATTEMPTS_DEFAULT),
    max_interruptions: z.int().min(0).max(TASK_INTERRUPTIONS_MAX).optional().meta({
      description:
        "How many begun attempts may be lost with their peers (broken connection, goodbye, restart) before the task fails; default 20",
    }),
    attempt_timeout_seconds: z
      .number()
      .min(1)
      .max(TASK_DEADLINE_MAX / 1_000)
      .optional()
      .meta({
        description:
          "How long one attempt may take from its beginning, whatever its heartbeats say; default 3,600",
      }),
    lease_seconds: z
      .number()
      .min(1)
      .max(LEASE_MAX / 1_000)
      .default(LEASE_DEFAULT / 1_000)
      .meta({
        description:
          "How long a peer may send no heartbeat for the task before another peer gets it",
      }),
    callback: CallbackBody.optional(),
    seal_to: PublicKeyHex.optional().meta({
      description:
        "X25519 public key, in hex, to which the result is sealed (STMF); only its owner can read the result",
    }),
  })
  .meta({ id: "TaskRequest" });
export type SubmitTask = z.infer<typeof SubmitTask>;
export type SubmitTaskInput = z.input<typeof SubmitTask>;

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
    payload: JsonValue,
    state: TaskState,
    source: z.string().meta({
      description: "`api`, `peer` (over its session), or `webhook:` and the name of the source",
    }),
    requirements: Requirements,
    priority: z.int(),
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
    backoff: Backoff,
    lease_seconds: z.number(),
    peer_id: PeerId.nullable().meta({
      description: "The peer that has the lease, or that ended the task",
    }),
    progress: z.number().nullable(),
    message: z.string().max(PROGRESS_MESSAGE_CHARS_MAX).nullable().meta({
      description: "The peer's last progress message",
    }),
    result: JsonValue,
    error: z.string().nullable(),
    attempts: z.array(AttemptView),
    callback: CallbackView.nullable().default(null),
    result_sealed: z.boolean().default(false).meta({
      description: "Whether `result` is an STMF container in base64, which the caller's key opens",
    }),
    result_bytes: z.int().nullable().default(null).meta({
      description: "The size of a result that is too large for this response",
    }),
    result_url: z.string().nullable().default(null).meta({
      description: "The path of such a result, relative to the mesh's URL",
    }),
  })
  .meta({ id: "Task" });
export type TaskView = z.infer<typeof TaskView>;

/** A task in a list, without its large fields and lists. `GET /v1/tasks/:id` shows them. */
export const TaskSummary = TaskView.omit({
  payload: true,
  result: true,
  attempts: true,
  callback: true,
  result_sealed: true,
  result_bytes: true,
  result_url: true,
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
  .object({
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
  peer_id: PeerId.optional().meta({ description: "This peer has the lease, or ended the task" }),
  created_after: z.iso.datetime({ offset: true }).optional(),
  created_before: z.iso.datetime({ offset: true }).optional(),
});

export const SubmitBatch = z
  .object({
    tasks: z.array(SubmitTask).min(1).max(BATCH_MAX),
  })
  .meta({ id: "TaskBatchRequest" });

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
export const WaitQuery = z.object({
  wait: z.coerce
    .number()
    .min(0)
    .max(WAIT_SECONDS_MAX)
    .optional()
    .meta({ description: "How many seconds to wait for the task to end before answering" }),
});

export const TaskList = z
  .object({ tasks: z.array(TaskSummary), next_cursor: NextCursor })
  .meta({ id: "TaskList" });
