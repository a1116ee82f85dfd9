import { traceHeaders, type TraceHeaders } from "../../protocol/trace-context.ts";
import type { Task } from "../../tasks/task.ts";
import type { CoordinatorConfig } from "../kernel/context.ts";
import { spanIdOf } from "./span.ts";

type Traced = Pick<Task, "id" | "trace">;

/** The trace of the task's submission, else one of its own: an ID is random (UUID version 4), as a trace ID must be. */
export const traceIdOf = ({ id, trace }: Traced): string =>
  trace?.traceparent.slice(3, 35) ?? id.replaceAll("-", "");

/** The span that submitted the task; null if it is not known. */
export const submitterSpanOf = ({ trace }: Traced): string | null =>
  trace?.traceparent.slice(36, 52) ?? null;

/** Whether the mesh sends spans of the task: the caller has decided it, else a share of all traces is. */
export function isSampled({ tracing }: Pick<CoordinatorConfig, "tracing">, task: Traced): boolean {
  if (tracing === null) return false;
  if (task.trace === null) return isInShare(traceIdOf(task), tracing.sample);
  const flags = Number.parseInt(task.trace.traceparent.slice(53), 16);
  return (flags & 1) === 1;
}

/**
 * Whether a trace is among a share of all. Whoever decides by the same bytes, the last seven, decides the same (Trace Context Level 2 says that they are
 * random). 13 of their 14 hex digits are used: a double has 53 bits.
 */
export const isInShare = (traceId: string, share: number): boolean =>
  Number.parseInt(traceId.slice(-14, -1), 16) / 16 ** 13 >= 1 - share;

/**
 * The trace that is handed on from a span of the task: below that span if the mesh sends it. Otherwise as it came, so that a trace has no gap
 * where the mesh has no span.
 */
export function traceBelow(
  config: Pick<CoordinatorConfig, "tracing">,
  task: Traced,
  place: string,
): TraceHeaders {
  if (!isSampled(config, task)) return traceHeaders(task.trace);
  const flags = task.trace?.traceparent.slice(53) ?? "01";
  const traceparent = `00-${traceIdOf(task)}-${spanIdOf(task.id, place)}-${flags}`;
  return traceHeaders({ traceparent, tracestate: task.trace?.tracestate ?? null });
}
