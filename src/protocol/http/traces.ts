import { z } from "zod";
import { Uuid } from "../ids.ts";
import { Time } from "./page.ts";

/** The names of spans. Backends group by them, so they never change. */
const SPAN_NAMES = [
  "muster.task",
  "muster.submit",
  "muster.retry",
  "muster.wait",
  "muster.attempt",
  "muster.upload",
  "muster.callback",
  "muster.callback.attempt",
] as const;

const SpanId = z.string().meta({ description: "16 lower-case hex characters" });

export const SpanView = z
  .object({
    span_id: SpanId,
    parent_span_id: SpanId.nullable(),
    name: z.enum(SPAN_NAMES),
    started_at: Time,
    ended_at: Time.nullable().meta({ description: "Null while it has not ended" }),
    failed: z.boolean(),
    attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .meta({ id: "Span" });
export type SpanView = z.infer<typeof SpanView>;

const EarlierRound = z
  .object({
    retries: z.int().meta({ description: "How often the task had been retried by then" }),
    spans: z.array(SpanView),
  })
  .meta({ id: "EarlierRound" });

export const TaskTraceView = z
  .object({
    task_id: Uuid,
    trace_id: z.string().meta({
      description:
        "32 lower-case hex characters: that of the task's `traceparent`, else the task's ID without hyphens",
    }),
    exported: z.boolean().meta({ description: "Whether the mesh sends these spans by OTLP" }),
    spans: z.array(SpanView).meta({ description: "Those since the task's newest retry" }),
    earlier_rounds: z.array(EarlierRound).default([]).meta({
      description:
        "What the task did before each retry, the oldest first, as far as attempts are stored. When such a round ended, and its callback, is not stored",
    }),
  })
  .meta({ id: "TaskTrace" });
export type TaskTraceView = z.infer<typeof TaskTraceView>;
