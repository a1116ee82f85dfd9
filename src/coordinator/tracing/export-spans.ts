import { backoffPause, equalJitter, type Backoff } from "../../base/backoff.ts";
import { HOUR, MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { QueuedSpans } from "../../registry/span-queue.ts";
import type { Registry } from "../../registry/registry.ts";
import { isEnded } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { done, type Handler } from "../kernel/handler.ts";
import type { Job } from "../kernel/job.ts";
import { countDropped } from "./drops.ts";
import { otlpBody, type TraceSpans } from "./otlp.ts";
import { submitterSpanOf, traceIdOf } from "./sampling.ts";
import { callbackSpans, taskSpans } from "./spans.ts";
import { storedRun } from "./stored-run.ts";

/** Spans gather for this time, so that a request has those of many tasks. */
const GATHER_TIME: Millis = 5 * SECOND;
/** A request has the spans of so many entries of the queue, and no further ones once it has so many spans. */
const ENTRIES_PER_REQUEST = 128;
const SPANS_PER_REQUEST = 512;
/** Spans that could not be sent for so long are dropped. */
const AGE_MAX: Millis = HOUR;
/** The pause after a request that failed, which doubles with each further one. */
const PAUSE: Backoff = { initial: 5 * SECOND, max: 5 * MINUTE };
/** A request whose outcome was lost is looked for again after this. */
const LOOK_AGAIN: Millis = 30 * SECOND;

/**
 * Builds the next request. Its spans are built from the stored task when they are sent, so the queue is small. Spans of a task that was
 * retried or removed meanwhile can't be built any more, and are left out.
 */
export const claimSpans: Handler<"claim_spans"> = (context) => {
  const { registry, config, now } = context;
  const { tracing } = config;
  if (tracing === null || !areSpansDue(registry, now)) return ok({ batch: null });
  const traces: TraceSpans[] = [];
  let spans = 0;
  let upTo = 0;
  for (const entry of registry.spanQueue.first(ENTRIES_PER_REQUEST)) {
    if (spans >= SPANS_PER_REQUEST) break;
    upTo = entry.seq;
    const trace = traceOf(context, entry);
    if (trace === null) continue;
    traces.push(trace);
    spans += trace.spans.length;
  }
  if (spans > 0) return ok({ batch: { upTo, spans, body: otlpBody(traces, tracing) } });
  registry.spanQueue.removeUpTo(upTo);
  return ok({ batch: null });
};

function traceOf(context: Context, { taskId, retries, part }: QueuedSpans): TraceSpans | null {
  const run = storedRun(context, taskId);
  if (run === null || run.task.retries !== retries || !isEnded(run.task.state)) return null;
  const spans = part === "task" ? taskSpans(run) : callbackSpans(run);
  const ended = spans.filter(({ endedAt }) => endedAt !== null);
  if (ended.length === 0) return null;
  return {
    traceId: traceIdOf(run.task),
    tracestate: run.task.trace?.tracestate ?? null,
    hasSubmitter: submitterSpanOf(run.task) !== null,
    spans: ended,
  };
}

/** Statuses after which the same request may succeed later (OTLP, "Failures"). */
const REPEATED: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** The collector has answered a request, or did not. */
export const spansAnswered: Handler<"spans_answered"> = (context, { upTo, spans, answer }) => {
  const { registry, now, random } = context;
  const { spanQueue, spanExport } = registry;
  const { status, retryAfter, rejected } = answer;
  if (status === null || REPEATED.has(status)) {
    registry.metrics.count("muster_span_requests", ["repeated"]);
    const pause = equalJitter(backoffPause(PAUSE, spanExport.failures + 1), random());
    const asked = Math.min((retryAfter ?? 0) * SECOND, AGE_MAX);
    spanExport.hold(now + Math.max(asked, pause));
    return done;
  }
  const isTaken = status >= 200 && status < 300;
  const refused = isTaken ? Math.min(rejected, spans) : spans;
  spanExport.answered();
  registry.metrics.count("muster_span_requests", [isTaken ? "taken" : "refused"]);
  registry.metrics.count("muster_spans_sent", [], spans - refused);
  countDropped(context, "refused", refused);
  spanQueue.removeUpTo(upTo);
  return done;
};

/** When the next spans are sent; null when there are none. */
function nextSpans({ spanQueue, spanExport }: Registry): Millis | null {
  const oldest = spanQueue.oldest();
  if (oldest === null) return null;
  const at = spanQueue.count() >= ENTRIES_PER_REQUEST ? oldest : oldest + GATHER_TIME;
  return Math.max(at, spanExport.heldUntil);
}

export function areSpansDue(registry: Registry, now: Millis): boolean {
  const at = nextSpans(registry);
  return at !== null && at <= now;
}

/** Every tick sends the spans that are due. This says when some are, and removes those that are too old, or not wanted any more. */
export const exportSpans: Job = {
  name: "export_spans",
  run(context) {
    const { registry, config, now } = context;
    const { spanQueue } = registry;
    if (config.tracing === null) return spanQueue.clear();
    const oldest = spanQueue.oldest();
    if (oldest !== null && oldest < now - AGE_MAX)
      countDropped(context, "too_old", spanQueue.removeBefore(now - AGE_MAX));
  },
  due: {
    reads: ["spanQueue"],
    at({ registry, now }) {
      const at = nextSpans(registry);
      return at === null || at > now ? at : now + LOOK_AGAIN;
    },
  },
};
