import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { SpanView } from "../../protocol/http.ts";
import { timeOrNull } from "../kernel/time-or-null.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { isSampled, traceIdOf } from "./sampling.ts";
import { earlierRounds } from "./earlier-rounds.ts";
import type { Span } from "./span.ts";
import { callbackSpans, taskSpans } from "./spans.ts";
import { storedRun } from "./stored-run.ts";

/** The spans of a task as they are now, whether the mesh sends them or not. */
export const traceTask: Handler<"trace_task"> = (context, { id, visibleTo }) => {
  const run = storedRun(context, id);
  if (run === null || (visibleTo !== null && run.task.owner !== visibleTo))
    return notFound("task with this ID");
  return ok({
    task_id: id,
    trace_id: traceIdOf(run.task),
    exported: isSampled(context.config, run.task),
    spans: [...taskSpans(run), ...callbackSpans(run)].map(viewOf),
    earlier_rounds: earlierRounds(run).map(({ retries, spans }) => ({
      retries,
      spans: spans.map(viewOf),
    })),
  });
};

const viewOf = (span: Span): SpanView => ({
  span_id: span.spanId,
  parent_span_id: span.parentId,
  name: span.name,
  started_at: toRfc3339(span.startedAt),
  ended_at: timeOrNull(span.endedAt),
  failed: span.failed,
  attributes: { ...span.attributes },
});
