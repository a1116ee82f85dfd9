import type { TraceHeaders } from "../../protocol/trace-context.ts";

/** A trace as headers, or as fields of a message. The mesh ignores what is not valid; what can't be a header is left out here. */
export const sentTrace = ({ traceparent, tracestate }: TraceHeaders) => ({
  ...(isHeader(traceparent) && { traceparent }),
  ...(isHeader(tracestate) && { tracestate }),
});

const isHeader = (value: string | undefined): value is string =>
  value !== undefined && /^[ -~]{1,8192}$/.test(value);
