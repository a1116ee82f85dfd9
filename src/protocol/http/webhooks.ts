import { z } from "zod";
import { JsonValue } from "../envelope.ts";
import { Slug, Uuid } from "../ids.ts";
import { Requirements, SubmitTask } from "./tasks.ts";
import { Time } from "./page.ts";

export const WEBHOOK_SCHEMES = ["standard-webhooks", "github"] as const;
export const WebhookScheme = z.enum(WEBHOOK_SCHEMES);
export type WebhookScheme = z.infer<typeof WebhookScheme>;

/**
 * How an event becomes a task. A string that begins with `$` is a JSON path into the event's body (a singular query
 * of RFC 9535: `$`, `.name`, `['name']`, `[0]`); `$$` begins a literal `$`.
 */
export const EventMapping = z.object({
  kind: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: "A task kind, or the JSON path of one", example: "$.type" }),
  payload: JsonValue.default("$").meta({
    description: "The payload, any JSON whose strings may be JSON paths into the event",
    example: { file: "$.data.file" },
  }),
  requirements: Requirements.default({ capabilities: [] }),
  priority: SubmitTask.shape.priority,
  deadline_seconds: SubmitTask.shape.deadline_seconds,
  max_attempts: SubmitTask.shape.max_attempts,
  lease_seconds: SubmitTask.shape.lease_seconds,
});
export type EventMapping = z.infer<typeof EventMapping>;

export const WebhookSourceBody = z
  .object({
    scheme: WebhookScheme,
    secret: z.string().min(16).max(500).meta({ description: "Kept sealed; never shown again" }),
    task: EventMapping,
  })
  .meta({ id: "WebhookSourceRequest" });
export type WebhookSourceBody = z.infer<typeof WebhookSourceBody>;

export const WebhookSourceView = z
  .object({
    name: Slug,
    scheme: WebhookScheme,
    task: EventMapping,
    created_at: Time,
    deliveries: z.int().meta({ description: "Deliveries that became a task" }),
  })
  .meta({ id: "WebhookSource" });
export type WebhookSourceView = z.infer<typeof WebhookSourceView>;

export const DeliveryView = z
  .object({
    task_id: Uuid,
    duplicate: z
      .boolean()
      .meta({ description: "True when the same delivery made this task before" }),
  })
  .meta({ id: "Delivery" });
