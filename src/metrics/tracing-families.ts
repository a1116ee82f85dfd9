import type { MetricFamily } from "./family.ts";

const SPAN_ANSWERS = ["taken", "repeated", "refused"] as const;
/** Why spans were not sent. */
const SPAN_DROPS = ["queue_full", "too_old", "refused"] as const;
export type SpanDrop = (typeof SPAN_DROPS)[number];

/** How spans get to the collector (`OTLP_ENDPOINT`). */
export const TRACING_FAMILIES = {
  muster_span_queue_entries: {
    type: "gauge",
    help: "Tasks and callbacks whose spans wait to be sent.",
    unit: null,
    labels: {},
  },
  muster_span_requests: {
    type: "counter",
    help: "Requests to the collector of spans: taken, to be repeated because it did not answer or is overloaded, or refused.",
    unit: null,
    labels: { answer: SPAN_ANSWERS },
    isWritten: true,
  },
  muster_spans_sent: {
    type: "counter",
    help: "Spans that the collector took.",
    unit: null,
    labels: {},
    isWritten: true,
  },
  muster_spans_dropped: {
    type: "counter",
    help: "Spans that the collector refused. With the reason queue_full or too_old they were never built: there a task or callback counts once.",
    unit: null,
    labels: { reason: SPAN_DROPS },
    isWritten: true,
  },
} as const satisfies Record<string, MetricFamily>;
