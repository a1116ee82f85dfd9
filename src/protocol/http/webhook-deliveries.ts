import { z } from "zod";
import { JsonValue } from "../envelope.ts";
import { OpaqueId, Uuid } from "../ids.ts";
import { NextCursor, Page, Time } from "./page.ts";
import { SubmitTask } from "./tasks.ts";
import { WebhookFilter } from "./webhook-filters.ts";

/** What the sender is answered. */
export const DeliveryView = z
  .object({
    task_id: Uuid.nullable().meta({ description: "Null when the source's filters left it out" }),
    duplicate: z
      .boolean()
      .meta({ description: "True when the same delivery made this task before" }),
    filtered: z.string().nullable().default(null).meta({ description: "Which filter left it out" }),
  })
  .meta({ id: "Delivery" });
export type DeliveryView = z.infer<typeof DeliveryView>;

export const ChallengeView = z.object({ challenge: z.string() }).meta({ id: "Challenge" });
export type ChallengeView = z.infer<typeof ChallengeView>;

export const DELIVERY_OUTCOMES = ["task", "duplicate", "filtered", "unmapped", "refused"] as const;
export const DeliveryOutcome = z.enum(DELIVERY_OUTCOMES).meta({
  description:
    "It became a task; it had become one before; a filter left it out; the mapping did not fit; the mesh took no task just then",
});
export type DeliveryOutcome = z.infer<typeof DeliveryOutcome>;

/** One rightly signed delivery, as the mesh remembers it. */
export const KeptDelivery = z
  .object({
    id: OpaqueId,
    received_at: Time,
    delivery_id: z.string().meta({
      description: "What was signed of its identity: the sender's ID, or its body's SHA-256",
    }),
    outcome: DeliveryOutcome,
    task_id: Uuid.nullable(),
    detail: z.string().nullable().meta({ description: "Why it became no task" }),
    bytes: z.int(),
    replayable: z.boolean().meta({ description: "Its body is kept" }),
    replay_of: OpaqueId.nullable(),
  })
  .meta({ id: "KeptDelivery" });
export type KeptDelivery = z.infer<typeof KeptDelivery>;

export const DeliveryQuery = Page.extend({ outcome: DeliveryOutcome.optional() });
export const DeliveryList = z
  .object({ deliveries: z.array(KeptDelivery), next_cursor: NextCursor })
  .meta({ id: "DeliveryList" });

export const ReplayQuery = z.object({
  new_task: z.enum(["true", "false"]).default("false").meta({
    description:
      "`true` makes another task of a delivery that became one; otherwise that one's task answers",
  }),
});

/** A sample to try a source on: an event, a body as it was sent, or a delivery that is kept. */
export const WebhookSample = z
  .object({
    event: JsonValue.optional(),
    body: z.string().optional().meta({
      description: "As it was sent; its signature is checked where the headers hold one",
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
    { path: ["event"], message: "give one of event, body and delivery" },
  )
  .meta({ id: "WebhookSample" });
export type WebhookSample = z.infer<typeof WebhookSample>;

/** What the sample would become. Nothing of it is stored. */
export const DryRunView = z
  .object({
    outcome: z.enum(["task", "filtered", "unmapped"]),
    reason: z.string().nullable().meta({ description: "Why it would be no task" }),
    task: SubmitTask.nullable().meta({
      description: "What the mapping makes of it, also where a filter leaves it out",
    }),
    event: JsonValue.meta({ description: "What was read of the body" }),
    filters: z.array(
      z.object({
        filter: WebhookFilter,
        holds: z.boolean(),
        found: JsonValue.meta({ description: "What stands there; null when nothing does" }),
      }),
    ),
    signature: z
      .enum(["right", "signature_missing", "signature_invalid", "signature_stale"])
      .nullable()
      .meta({ description: "Null when the sample is no body with headers" }),
  })
  .meta({ id: "DryRun" });
export type DryRunView = z.infer<typeof DryRunView>;
