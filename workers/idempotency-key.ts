import { z } from "@hono/zod-openapi";
import { IdempotencyKey as Key } from "../src/protocol/ids.ts";

/** The header that makes repeating a request safe. */
export const IdempotencyKey = z.object({
  "idempotency-key": Key.optional().meta({
    description:
      "For 30 days, a repeated request with the same key answers with the task of the first request",
  }),
});
