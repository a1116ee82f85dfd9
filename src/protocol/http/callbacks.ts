import { z } from "zod";
import { OUTBOUND_URL_CHARS_MAX } from "../outbound-url.ts";
import { Time } from "./page.ts";

const Url = z.string().min(1).max(OUTBOUND_URL_CHARS_MAX).meta({
  description: "https or http, and public as written: no private address, no redirect is followed",
  example: "https://example.com/muster",
});

export const CallbackBody = z
  .object({
    url: Url,
    secret: z.string().min(32).max(100).optional().meta({
      description:
        "Signs this task's callback, as Standard Webhooks writes secrets (whsec_…). Default: the caller's own, see /v1/callback-secret",
    }),
  })
  .meta({ id: "CallbackRequest", description: "Told of the task's end, until it acknowledges" });
export type CallbackBody = z.infer<typeof CallbackBody>;

/** Of tasks that webhooks make: signed with the administrator's callback secret, so none stands in a mapping. */
export const FixedCallback = z.object({ url: Url }).meta({ id: "FixedCallback" });

export const CALLBACK_STATES = ["waiting", "pending", "delivered", "failed"] as const;
export type CallbackState = (typeof CALLBACK_STATES)[number];

export const CallbackAttemptView = z
  .object({
    at: Time,
    ended_at: Time.nullable().meta({ description: "Null while it is under way, or was cut off" }),
    status: z.int().nullable().meta({ description: "The HTTP status that answered" }),
    error: z.string().nullable(),
  })
  .meta({ id: "CallbackAttempt" });

export const CallbackView = z
  .object({
    url: z.string(),
    state: z.enum(CALLBACK_STATES).meta({
      description:
        "`waiting` for the task's end, `pending` until acknowledged (2xx), `delivered`, or `failed`: given up",
    }),
    next_at: Time.nullable().meta({ description: "When it is tried again" }),
    attempts: z.array(CallbackAttemptView),
  })
  .meta({ id: "Callback" });
export type CallbackView = z.infer<typeof CallbackView>;

export const CallbackSecretView = z
  .object({
    secret: z.string().meta({
      description: "Signs the callbacks of this token's tasks; the same for as long as it lives",
    }),
  })
  .meta({ id: "CallbackSecret" });
