import type { TaskTraceView } from "../protocol/http.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty, TaskInput } from "./inputs.ts";

/** The timeline of a task, and the export of spans by OTLP. */
export interface TracingCommands {
  trace_task: { caller: "gateway"; input: TaskInput; output: TaskTraceView };
  /** The next spans that are due, as the body of a request; null when none are. */
  claim_spans: { caller: "mesh"; input: Empty; output: { readonly batch: SpanBatch | null } };
  spans_answered: {
    caller: "mesh";
    input: Pick<SpanBatch, "upTo" | "spans"> & { readonly answer: ExportAnswer };
    output: Empty;
  };
}

export const TRACING_CALLERS: CallersOf<TracingCommands> = {
  trace_task: "gateway",
  claim_spans: "mesh",
  spans_answered: "mesh",
};

/** Spans that are sent in one request. */
export interface SpanBatch {
  /** The last entry of the queue that the batch contains: it has all entries up to this one. */
  readonly upTo: number;
  readonly spans: number;
  /** An ExportTraceServiceRequest of OTLP, as JSON. */
  readonly body: string;
}

/** How the collector answered a request. */
export interface ExportAnswer {
  /** Null if there was no answer. */
  readonly status: number | null;
  /** Its `Retry-After`, in seconds. */
  readonly retryAfter: number | null;
  /** How many spans of a request that succeeded it did not take. */
  readonly rejected: number;
}
