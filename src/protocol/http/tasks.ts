import { z } from "zod";
import {
  LEASE_DEFAULT,
  LEASE_MAX,
  TASK_ATTEMPTS_DEFAULT,
  TASK_ATTEMPTS_MAX,
  TASK_DEADLINE_DEFAULT,
  TASK_DEADLINE_MAX,
  WAIT_SECONDS_MAX,
} from "../constants.ts";
import { JsonValue } from "../envelope.ts";
import { PeerId, Uuid } from "../ids.ts";
import { Capabilities, TaskKind } from "../messages.ts";
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
    capabilities: Capabilities.default([]).meta({
      description: "Labels that the peer must all have",
    }),
    peer_id: PeerId.optional().meta({ description: "Only this peer" }),
    min_score: z.number().min(0).max(1).optional(),
  })
  .meta({ id: "Requirements" });
export type Requirements = z.infer<typeof Requirements>;

export const SubmitTask = z
  .object({
    kind: TaskKind,
    payload: JsonValue.default(null),
    requirements: Requirements.default({ capabilities: [] }),
    priority: z.int().min(-100).max(100).default(0).meta({ description: "Higher goes first" }),
    deadline_seconds: z
      .number()
      .positive()
      .max(TASK_DEADLINE_MAX / 1_000)
      .default(TASK_DEADLINE_DEFAULT / 1_000)
      .meta({ description: "Not ended by then, the task expires" }),
    max_attempts: z.int().min(1).max(TASK_ATTEMPTS_MAX).default(TASK_ATTEMPTS_DEFAULT),
    lease_seconds: z
      .number()
      .min(1)
      .max(LEASE_MAX / 1_000)
      .default(LEASE_DEFAULT / 1_000)
      .meta({
        description: "How long a peer may be silent about the task before it goes to another",
      }),
  })
  .meta({ id: "TaskRequest" });
export type SubmitTask = z.infer<typeof SubmitTask>;
export type SubmitTaskInput = z.input<typeof SubmitTask>;

export const ATTEMPT_STATES = [
  "offered",
  "running",
  "succeeded",
  "failed",
  "refused",
  "lost",
  "cancelled",
] as const;
export const AttemptView = z
  .object({
    attempt: z.int().positive(),
    peer_id: PeerId,
    peer_name: z.string(),
    score: z.number().meta({ description: "The peer's score when it was chosen" }),
    state: z.enum(ATTEMPT_STATES),
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
    source: z.string().meta({ description: "`api`, or `webhook:` and the source's name" }),
    requirements: Requirements,
    priority: z.int(),
    created_at: Time,
    deadline_at: Time,
    ended_at: Time.nullable(),
    max_attempts: z.int(),
    lease_seconds: z.number(),
    peer_id: PeerId.nullable().meta({ description: "Who holds it, or who ended it" }),
    progress: z.number().nullable(),
    result: JsonValue,
    error: z.string().nullable(),
    attempts: z.array(AttemptView),
  })
  .meta({ id: "Task" });
export type TaskView = z.infer<typeof TaskView>;

/** A task in a list: without what can be large, or many. `GET /v1/tasks/:id` shows the rest. */
export const TaskSummary = TaskView.omit({ payload: true, result: true, attempts: true }).meta({
  id: "TaskSummary",
});
export type TaskSummary = z.infer<typeof TaskSummary>;

export const TaskQuery = Page.extend({ state: TaskState.optional(), kind: TaskKind.optional() });
export const WaitQuery = z.object({
  wait: z.coerce
    .number()
    .min(0)
    .max(WAIT_SECONDS_MAX)
    .optional()
    .meta({ description: "Seconds to wait for the task's end before answering" }),
});

export const TaskList = z
  .object({ tasks: z.array(TaskSummary), next_cursor: NextCursor })
  .meta({ id: "TaskList" });
