import { z } from "zod";
import { OUTBOUND_URL_CHARS_MAX } from "../outbound-url.ts";
import { Time } from "./page.ts";

const Url = z.string().min(1).max(OUTBOUND_URL_CHARS_MAX).meta({
  description: "An https or http URL with a public address; the mesh does not follow redirects",
  example: "https://example.com/muster",
});

export const CallbackBody = z
  .object({
    url: Url,
    secret: z.string().min(32).max(100).optional().meta({
      description:
        "Signs this task's callback; a Standard Webhooks secret (whsec_…). Default: the caller's secret, which /v1/callback-secret shows",
    }),
  })
  .meta({
    id: "CallbackRequest",
    description: "Receives an event when the task ends, and again until it acknowledges one",
  });
export type CallbackBody = z.infer<typeof CallbackBody>;

/** The callback of tasks that webhooks create. The administrator's callback secret signs it, so a mapping contains no secret. */
export const FixedCallback = z.object({ url: Url }).meta({ id: "FixedCallback" });

const CALLBACK_STATES = ["waiting", "pending", "delivered", "failed"] as const;
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

export const CallbackSecretView = z
  .object({
    secret: z.string().meta({
      description: "Signs the callbacks of this token's tasks; it does not change",
    }),
  })
  .meta({ id: "CallbackSecret" });
