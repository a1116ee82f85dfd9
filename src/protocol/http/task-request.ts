import { z } from "zod";
import {
  AVOIDED_PEERS_MAX,
  BATCH_MAX,
  CAPABILITIES_MAX,
  CONCURRENCY_KEY_CHARS_MAX,
  CONCURRENCY_MAX,
  LEASE_DEFAULT,
  LEASE_MAX,
  PRIORITY_MAX,
  RETRY_BACKOFF_CEILING,
  RETRY_BACKOFF_DEFAULT,
  RETRY_BACKOFF_MAX_DEFAULT,
  TASK_ATTEMPTS_DEFAULT,
  TASK_ATTEMPTS_MAX,
  TASK_DEADLINE_DEFAULT,
  TASK_DEADLINE_MAX,
  TASK_INTERRUPTIONS_MAX,
} from "../constants.ts";
import { ExactValue } from "../envelope.ts";
import { PeerId, PublicKeyHex } from "../ids.ts";
import { CapabilityRequirement, TaskKind } from "../labels.ts";
import { CallbackBody } from "./callbacks.ts";

export const Requirements = z
  .strictObject({
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
export const Backoff = z
  .strictObject({
    first_seconds: seconds(RETRY_BACKOFF_CEILING).default(RETRY_BACKOFF_DEFAULT / 1_000),
    max_seconds: seconds(RETRY_BACKOFF_CEILING).default(RETRY_BACKOFF_MAX_DEFAULT / 1_000),
  })
  .meta({ id: "Backoff" });

export const Concurrency = z.strictObject({
  key: z.string().min(1).max(CONCURRENCY_KEY_CHARS_MAX),
  limit: z.int().min(1).max(CONCURRENCY_MAX),
});

// A field that is added later has no default here: an idempotency key stores the request's hash, which must not change.
export const SubmitTask = z
  .strictObject({
    kind: TaskKind,
    payload: ExactValue.prefault(null),
    requirements: Requirements.default({ capabilities: [] }),
    priority: z.int().min(-PRIORITY_MAX).max(PRIORITY_MAX).default(0).meta({
      description: "A higher priority runs first; one step equals one minute of waiting",
    }),
    concurrency: Concurrency.optional().meta({
      description:
        "At most `limit` tasks of this owner with this key are at peers at once; the others wait and delay no other task",
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

export const SubmitBatch = z
  .strictObject({
    tasks: z.array(SubmitTask).min(1).max(BATCH_MAX),
  })
  .meta({ id: "TaskBatchRequest" });
