import { z } from "@hono/zod-openapi";

/** The header that makes a repeated request harmless. */
export const IdempotencyKey = z.object({
  "idempotency-key": z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "1 to 255 visible ASCII characters")
    .optional()
    .meta({
      description:
        "A repeated request with the same key answers with the first one's task, for 30 days",
    }),
});
