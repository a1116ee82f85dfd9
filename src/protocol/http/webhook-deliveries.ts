import { z } from "zod";
import { JsonValue } from "../envelope.ts";
import { OpaqueId, Uuid } from "../ids.ts";
import { tolerant } from "../schema/strictness.ts";
import { MissingCells, NextCursor, Page, Time } from "./page.ts";
import { SubmitTask } from "./task-request.ts";
import { WebhookFilter } from "./webhook-filters.ts";

/** The answer to the sender. */
export const DeliveryView = z
  .object({
    task_id: Uuid.nullable().meta({
      description: "Null if a filter excluded the event, and for GitHub's ping",
    }),
    duplicate: z.boolean().meta({
      description: "Whether the task was created by an earlier delivery with the same ID",
    }),
    filtered: z
      .string()
      .nullable()
      .default(null)
      .meta({ description: "The filter that excluded the event" }),
  })
  .meta({ id: "Delivery" });
export type DeliveryView = z.infer<typeof DeliveryView>;

export const ChallengeView = z.object({ challenge: z.string() }).meta({ id: "Challenge" });
export type ChallengeView = z.infer<typeof ChallengeView>;

/** GitHub's check of a new webhook. */
export const PingView = z.object({ ping: z.literal(true) }).meta({ id: "Ping" });
export type PingView = z.infer<typeof PingView>;

export const DELIVERY_OUTCOMES = [
  "task",
  "duplicate",
  "filtered",
  "unmapped",
  "refused",
  "ping",
] as const;
export const DeliveryOutcome = z.enum(DELIVERY_OUTCOMES).meta({
  description:
    "`task`: it became a task; `duplicate`: it had become one before; `filtered`: a filter excluded it; `unmapped`: the event does not fit the mapping; `refused`: the mesh did not accept the task, for example because the queue was full; `ping`: GitHub's check of a new webhook",
});
export type DeliveryOutcome = z.infer<typeof DeliveryOutcome>;

/** A recorded delivery; its signature was valid. */
export const KeptDelivery = z
  .object({
    id: OpaqueId,
    received_at: Time,
    delivery_id: z.string().meta({
      description: "The sender's ID, if the signature covers it; else the SHA-256 of the body",
    }),
    outcome: DeliveryOutcome,
    task_id: Uuid.nullable(),
    detail: z.string().nullable().meta({ description: "Why it did not become a task" }),
    bytes: z.int(),
    replayable: z.boolean().meta({ description: "Whether its content is stored" }),
    replay_of: OpaqueId.nullable(),
  })
  .meta({ id: "KeptDelivery" });
export type KeptDelivery = z.infer<typeof KeptDelivery>;

export const DeliveryQuery = Page.extend({ outcome: DeliveryOutcome.optional() });
export const DeliveryList = z
  .object({
    deliveries: z.array(KeptDelivery),
    next_cursor: NextCursor,
    missing_cells: MissingCells,
  })
  .meta({ id: "DeliveryList" });

export const ReplayQuery = z.strictObject({
  new_task: z.enum(["true", "false"]).default("false").meta({
    description:
      "`true` creates another task from a delivery that already became one; `false` answers with the existing task",
  }),
});

/** A sample for a dry run: an event, a body as it was sent, or a recorded delivery. */
export const WebhookSample = z
  .strictObject({
    event: JsonValue.optional(),
    body: z.string().optional().meta({
      description: "The body as it was sent; its signature is verified if the headers contain one",
    }),
    delivery: OpaqueId.optional(),
    headers: z
      .record(z.string().max(100), z.string().max(4_000))
      .refine((headers) => Object.keys(headers).length <= 100, "at most 100 headers")
      .default({}),
  })
  .refine(
    ({ event, body, delivery }) =>
      [event, body, delivery].filter((given) => given !== undefined).length === 1,
    { path: ["event"], message: "send exactly one of event, body and delivery" },
  )
  .meta({ id: "WebhookSample" });
export type WebhookSample = z.infer<typeof WebhookSample>;

/** The outcome that the sample would have. Nothing is stored. */
export const DryRunView = z
  .object({
    outcome: z.enum(["task", "filtered", "unmapped", "ping"]),
    reason: z.string().nullable().meta({ description: "Why it would not become a task" }),
    task: tolerant(SubmitTask).nullable().meta({
      description: "The task by the mapping, also if a filter excludes the event",
    }),
    event: JsonValue.meta({ description: "The event in the body" }),
    filters: z.array(
      z.object({
        filter: tolerant(WebhookFilter),
        holds: z.boolean(),
        found: JsonValue.meta({
          description: "The value at the filter's place; null if there is none",
        }),
      }),
    ),
    signature: z
      .enum(["right", "signature_missing", "signature_invalid", "signature_stale"])
      .nullable()
      .meta({ description: "Null if the sample is not a body with headers" }),
  })
  .meta({ id: "DryRun" });
export type DryRunView = z.infer<typeof DryRunView>;
