import { z } from "zod";
import { OpaqueId } from "../ids.ts";
import { Time } from "./page.ts";

const Repeated = z.object({
  first_at: Time,
  last_at: Time,
  count: z.int().positive(),
});

/** Deliveries that were refused for one reason: how many there were, and the newest of them. */
export const RefusedDelivery = Repeated.extend({
  id: OpaqueId,
  code: z.string().meta({
    description: "Why they were refused: the code of the answer",
    example: "signature_invalid",
  }),
  detail: z.string().meta({ description: "The same in words, of the newest" }),
  status: z.int().meta({ description: "The HTTP status of the answer" }),
  in_deliveries: z.boolean().meta({
    description:
      "Whether the list of deliveries has each of them, too: its signature was valid, and the task was refused",
  }),
  method: z.string().meta({ description: "Of the newest, as are the fields below" }),
  headers: z.record(z.string(), z.string()).meta({
    description:
      "Values of headers that are known to hold no secret; of any other header the length of its value",
    example: { "user-agent": "GitHub-Hookshot/1", "x-hub-signature-256": "[71 characters]" },
  }),
  address: z.string().nullable().meta({ description: "Where it came from; null if unknown" }),
  bytes: z
    .int()
    .nullable()
    .meta({ description: "The size of its body by its Content-Length; null if it had none" }),
}).meta({ id: "RefusedDelivery" });
export type RefusedDelivery = z.infer<typeof RefusedDelivery>;

export const RefusedList = z
  .object({
    refused: z.array(RefusedDelivery),
    unknown_sources: Repeated.nullable().meta({
      description:
        "Deliveries to this mesh under names that no source has; null if there were none",
    }),
  })
  .meta({ id: "RefusedList" });
export type RefusedList = z.infer<typeof RefusedList>;
