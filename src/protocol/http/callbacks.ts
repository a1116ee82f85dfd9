import { z } from "zod";
import { SECOND } from "../../base/clock.ts";
import { CALLBACK_OVERLAP_DEFAULT, CALLBACK_OVERLAP_MAX } from "../constants.ts";
import { OUTBOUND_URL_CHARS_MAX } from "../outbound-url.ts";
import { Time } from "./page.ts";

const Url = z.string().min(1).max(OUTBOUND_URL_CHARS_MAX).meta({
  description: "An https or http URL with a public address; the mesh does not follow redirects",
  example: "https://example.com/muster",
});

export const CallbackBody = z
  .strictObject({
    url: Url,
    secret: z.string().min(32).max(100).optional().meta({
      description:
        "Signs this task's callback; a Standard Webhooks secret (whsec_…). Default: that of the caller and the URL's origin, which /v1/callback-secret shows",
    }),
  })
  .meta({
    id: "CallbackRequest",
    description: "Receives an event when the task ends, and again until it acknowledges one",
  });
export type CallbackBody = z.infer<typeof CallbackBody>;

/** The callback of tasks that webhooks create. The secret of the source and the URL's origin signs it, so a mapping contains no secret. */
export const FixedCallback = z.strictObject({ url: Url }).meta({ id: "FixedCallback" });

const CALLBACK_STATES = ["waiting", "pending", "delivered", "failed", "cancelled"] as const;
export type CallbackState = (typeof CALLBACK_STATES)[number];

const CallbackAttemptView = z
  .object({
    at: Time,
    ended_at: Time.nullable().meta({
      description: "Null while the attempt is running, or if it was interrupted",
    }),
    status: z.int().nullable().meta({ description: "The HTTP status of the answer" }),
    error: z.string().nullable(),
  })
  .meta({ id: "CallbackAttempt" });

export const CallbackView = z
  .object({
    url: z.string(),
    state: z.enum(CALLBACK_STATES).meta({
      description:
        "`waiting`: the task has not ended; `pending`: not acknowledged (2xx) yet; `delivered`; `failed`: no more attempts",
    }),
    next_at: Time.nullable().meta({ description: "When the next attempt is made" }),
    attempts: z.array(CallbackAttemptView),
  })
  .meta({ id: "Callback" });
export type CallbackView = z.infer<typeof CallbackView>;

const Owner = z
  .string()
  .regex(
    /^(?:admin|[0-9a-f]{16}|[0-9a-f]{32}|webhook:[a-z0-9-]{1,64})$/,
    "an owner is admin, the ID of a token or a peer, or webhook:SOURCE",
  )
  .meta({
    description:
      "`admin`, the ID of a token or a peer, or `webhook:` and the name of a source; default: the caller. Only administrators may name another",
  });
const BodyUrl = Url.meta({
  description: "The URL of a callback; only its origin counts",
});

export const CallbackSecretBody = z
  .strictObject({ url: BodyUrl, owner: Owner.optional() })
  .meta({ id: "CallbackSecretRequest" });

export const RotateCallbackSecretBody = z
  .strictObject({
    url: BodyUrl,
    owner: Owner.optional(),
    overlap_seconds: z
      .number()
      .min(0)
      .max(CALLBACK_OVERLAP_MAX / SECOND)
      .default(CALLBACK_OVERLAP_DEFAULT / SECOND)
      .meta({ description: "How long the secret before signs, too" }),
  })
  .meta({ id: "RotateCallbackSecretRequest" });

export const CallbackSecretView = z
  .object({
    owner: z.string().meta({ description: "Whose tasks' callbacks it signs" }),
    origin: z.string().meta({ description: "The receiver; no other one has this secret" }),
    version: z.int().min(1),
    secret: z.string().meta({ description: "A Standard Webhooks secret (whsec_…)" }),
    rotated_at: Time.nullable(),
    previous: z.object({ secret: z.string(), ends_at: Time }).nullable().meta({
      description: "The secret before, which signs, too, until its end",
    }),
  })
  .meta({ id: "CallbackSecret" });
export type CallbackSecretView = z.infer<typeof CallbackSecretView>;
