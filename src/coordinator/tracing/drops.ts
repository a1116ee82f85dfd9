import type { SpanDrop } from "../../metrics/tracing-families.ts";
import type { Context } from "../kernel/context.ts";
import { logLine } from "../kernel/log.ts";

/** Counts and logs spans that are not sent: a gap in a trace must have a reason somewhere. */
export function countDropped(context: Context, reason: SpanDrop, count: number): void {
  if (count === 0) return;
  context.registry.metrics.count("muster_spans_dropped", [reason], count);
  logLine(context, "spans.dropped", { reason, count });
}
