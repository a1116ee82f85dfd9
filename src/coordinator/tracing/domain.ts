import type { TracingCommands } from "../../contract/tracing.ts";
import type { Domain } from "../kernel/domain.ts";
import { claimSpans, exportSpans, spansAnswered } from "./export-spans.ts";
import { traceTask } from "./trace-task.ts";

export const tracing: Domain<TracingCommands> = {
  handlers: {
    trace_task: traceTask,
    claim_spans: claimSpans,
    spans_answered: spansAnswered,
  },
  audit: {},
  jobs: [exportSpans],
};
