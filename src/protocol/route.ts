import { z } from "zod";
import { ROUTE_HOPS_MAX, ROUTE_TOOLS } from "./route-limits.ts";

export * from "./route-limits.ts";

/** The network path to the mesh that a peer measured. A claim: the mesh bounds it by the round trip. */
export const Route = z.object({
  hops: z.int().min(1).max(ROUTE_HOPS_MAX),
  tool: z.enum(ROUTE_TOOLS),
});
export type Route = z.infer<typeof Route>;
