import { z } from "zod";

/** What the estimate of costs counts: since the mesh counts, and what is there now. */
const COUNTED_ITEMS = ["tasks", "requests", "calls", "kv_writes"] as const;
const CURRENT_ITEMS = ["connected_peers", "storage_gb"] as const;

const itemOf = <Name extends string>(names: readonly [Name, ...Name[]]) =>
  z.object({
    item: z.enum(names),
    quantity: z.number().min(0),
    dollars: z.number().min(0),
  });

export const CostsView = z
  .object({
    billed: z.boolean().meta({
      description:
        "False: the mesh runs on a machine of its operator, and Cloudflare bills nothing",
    }),
    prices_of: z.iso.date().meta({ description: "The day of the list prices" }),
    so_far: z
      .object({ dollars: z.number(), items: z.array(itemOf(COUNTED_ITEMS)) })
      .meta({ description: "What the counters of the metrics would cost, since they count" }),
    monthly: z.object({ dollars: z.number(), items: z.array(itemOf(CURRENT_ITEMS)) }).meta({
      description:
        "What the connected peers and the database would cost in a month, if they stay as they are",
    }),
    not_included: z.array(z.string()),
  })
  .meta({
    id: "Costs",
    description: "An estimate by list prices, without the free amounts of a plan",
  });
export type CostsView = z.infer<typeof CostsView>;
