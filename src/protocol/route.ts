import { z } from "zod";
import { MINUTE } from "../base/clock.ts";

/** The tools that a peer measures its network path to the mesh with. */
export const ROUTE_TOOLS = ["traceroute", "tracepath", "mtr"] as const;
export type RouteTool = (typeof ROUTE_TOOLS)[number];

/** Hops of a reported network path: the largest time to live that its tools use. */
export const ROUTE_HOPS_MAX = 64;
/** A peer's further reports of its network path within this time are ignored. */
export const ROUTE_REPORT_INTERVAL = MINUTE;

/** The network path to the mesh that a peer measured. A claim: the mesh bounds it by the round trip. */
export const Route = z.object({
  hops: z.int().min(1).max(ROUTE_HOPS_MAX),
  tool: z.enum(ROUTE_TOOLS),
});
export type Route = z.infer<typeof Route>;
