import { z } from "zod";
import { WEBHOOK_BODY_BYTES_MAX, WEBHOOK_FILTERS_MAX, WEBHOOK_SECRETS_MAX } from "../constants.ts";
import { JsonValue } from "../envelope.ts";
import { Slug } from "../ids.ts";
import { tolerant } from "../schema/strictness.ts";
import { FixedCallback } from "./callbacks.ts";
import { Requirements, SubmitTask } from "./task-request.ts";
import { Time } from "./page.ts";
import { MaxBytes } from "./admission.ts";
import { HeaderName, WebhookFilter } from "./webhook-filters.ts";

const WEBHOOK_SCHEMES = ["standard-webhooks", "github", "stripe", "slack", "hmac"] as const;
export const WebhookScheme = z.enum(WEBHOOK_SCHEMES).meta({
  description:
    "How deliveries are signed. `standard-webhooks`: Standard Webhooks; `github`: X-Hub-Signature-256; `stripe`: a header with a timestamp; `slack`: v0; `hmac`: HMAC-SHA256 of the body in a header",
});
export type WebhookScheme = z.infer<typeof WebhookScheme>;

export const SignatureHeader = z
  .strictObject({
    header: HeaderName,
    encoding: z
      .enum(["hex", "base64"])
      .default("hex")
      .meta({ description: "The encoding of the MAC, for `hmac`" }),
    prefix: z
      .string()
      .regex(/^[\x21-\x7e]{0,32}$/, "at most 32 visible ASCII characters")
      .default("")
      .meta({ description: "The text before the MAC, for `hmac`; for example `sha256=`" }),
  })
  .meta({
    id: "SignatureHeader",
    description: "The header with the signature, for `hmac` and `stripe`",
  });
export type SignatureHeader = z.infer<typeof SignatureHeader>;

/** How a source's deliveries are signed. */
export interface Signing {
  readonly scheme: WebhookScheme;
  readonly signature?: SignatureHeader | null | undefined;
}

/**
 * How an event becomes a task. A string that begins with `$` is a JSON path into the event's body (a singular query
 * of RFC 9535: `$`, `.name`, `['name']`, `[0]`); `$$` stands for a literal `$`.
 */
export const EventMapping = z.strictObject({
  kind: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: "A task kind, or a JSON path to one in the event", example: "$.type" }),
  payload: JsonValue.default("$").meta({
    description: "The payload: any JSON; strings that begin with $ are JSON paths into the event",
    example: { file: "$.data.file" },
  }),
  requirements: Requirements.default({ capabilities: [] }),
  priority: SubmitTask.shape.priority,
  deadline_seconds: SubmitTask.shape.deadline_seconds,
  max_attempts: SubmitTask.shape.max_attempts,
  lease_seconds: SubmitTask.shape.lease_seconds,
  callback: FixedCallback.optional(),
  defaults: z
    .record(z.string().max(500), JsonValue)
    .refine((defaults) => Object.keys(defaults).length <= 50, "at most 50 defaults")
    .optional()
    .meta({
      description: "Values for paths that select nothing, by the text of the path",
      example: { "$.data.priority": 0 },
    }),
});
export type EventMapping = z.infer<typeof EventMapping>;

/** What tells the deliveries of a source apart, where its scheme signs no ID beside the body. Only signed material counts. */
export const DeliveryIdentity = z
  .strictObject({
    path: z.string().min(1).max(500).optional().meta({
      description:
        "The JSON path of an ID in the event: deliveries with the same ID are one task, whatever else they contain",
      example: "$.id",
    }),
    bucket_seconds: z.int().min(60).max(2_592_000).optional().meta({
      description:
        "Deliveries with the same body are one task within each span of so many seconds (counted from 1970-01-01T00:00Z), and up to a quarter of it after the first of them. In a later span the same body is a new task, also if somebody recorded it and sends it again",
      example: 86_400,
    }),
  })
  .refine(({ path, bucket_seconds: bucket }) => (path === undefined) !== (bucket === undefined), {
    path: ["path"],
    message: "send exactly one of path and bucket_seconds",
  })
  .meta({ id: "DeliveryIdentity" });
export type DeliveryIdentity = z.infer<typeof DeliveryIdentity>;

const MaxBodyBytes = z.int().min(1_024).max(WEBHOOK_BODY_BYTES_MAX).nullable().meta({
  description:
    "The largest body that is read. Null: what senders of the scheme send, 25 MiB for `github` and 1 MiB for the others",
});

const SCHEMES_WITH_HEADER: readonly WebhookScheme[] = ["hmac", "stripe"];

const Secret = z.string().min(16).max(500);

export const WebhookSourceBody = z
  .strictObject({
    scheme: WebhookScheme,
    signature: SignatureHeader.optional(),
    secret: Secret.optional().meta({
      description: "Stored sealed and never shown. Without one, the source keeps its secrets",
    }),
    secrets: z.array(Secret).min(1).max(WEBHOOK_SECRETS_MAX).optional().meta({
      description:
        "Several secrets instead of `secret`, for a rotation: a signature by any of them is valid",
    }),
    task: EventMapping,
    filters: z.array(WebhookFilter).max(WEBHOOK_FILTERS_MAX).default([]).meta({
      description:
        "An event becomes a task only if all filters hold; else it is acknowledged and recorded",
    }),
    max_bytes: MaxBytes.default(null),
    max_body_bytes: MaxBodyBytes.default(null),
    identity: DeliveryIdentity.nullable().default(null).meta({
      description:
        "What tells deliveries apart. Null: the ID that the scheme signs, that of Stripe's own events, else the SHA-256 of the body",
    }),
  })
  .refine(({ scheme, identity }) => identity === null || scheme !== "standard-webhooks", {
    path: ["identity"],
    message: "this scheme signs an ID, which tells its deliveries apart",
  })
  .refine(({ secret, secrets }) => secret === undefined || secrets === undefined, {
    path: ["secrets"],
    message: "send either secret or secrets, not both",
  })
  .refine(
    ({ scheme, signature }) => signature === undefined || SCHEMES_WITH_HEADER.includes(scheme),
    {
      path: ["signature"],
      message: "this scheme has a fixed header; only hmac and stripe accept `signature`",
    },
  )
  .meta({ id: "WebhookSourceRequest" });
export type WebhookSourceBody = z.infer<typeof WebhookSourceBody>;

export const WebhookSourceView = z
  .object({
    name: Slug,
    scheme: WebhookScheme,
    signature: tolerant(SignatureHeader).nullable().default(null),
    secrets: z.int().default(1).meta({ description: "The number of secrets" }),
    task: tolerant(EventMapping),
    filters: z.array(tolerant(WebhookFilter)).default([]),
    created_at: Time,
    deliveries: z.int().meta({ description: "The number of deliveries that became a task" }),
    max_bytes: MaxBytes.default(null),
    max_body_bytes: MaxBodyBytes.default(null),
    identity: tolerant(DeliveryIdentity).nullable().default(null),
  })
  .meta({ id: "WebhookSource" });
export type WebhookSourceView = z.infer<typeof WebhookSourceView>;

export const WebhookSourceList = z
  .object({ sources: z.array(WebhookSourceView) })
  .meta({ id: "WebhookSourceList" });
