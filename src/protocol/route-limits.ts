import { MINUTE } from "../base/clock.ts";

/** The tools that a peer measures its network path to the mesh with. */
export const ROUTE_TOOLS = ["traceroute", "tracepath", "mtr"] as const;
export type RouteTool = (typeof ROUTE_TOOLS)[number];

/** Hops of a reported network path: the largest time to live that its tools use. */
export const ROUTE_HOPS_MAX = 64;
/** A peer's further reports of its network path within this time are ignored. */
export const ROUTE_REPORT_INTERVAL = MINUTE;
