import { z } from "@hono/zod-openapi";
import { IdempotencyKey as Key } from "../src/protocol/ids.ts";

/** The header that makes a repeated request harmless. */
export const IdempotencyKey = z.object({
  "idempotency-key": Key.optional().meta({
    description:
      "A repeated request with the same key answers with the first one's task, for 30 days",
  }),
});
