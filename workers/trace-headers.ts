import { z } from "@hono/zod-openapi";
import { readTrace, type TraceContext } from "../src/protocol/trace-context.ts";
import type { AppContext } from "./context.ts";

/** The headers that name the trace of a request. */
export const TraceHeaders = z.object({
  traceparent: z.string().optional().meta({
    description:
      "The trace that the tasks belong to (W3C Trace Context); one that is not valid is ignored",
    example: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  }),
  tracestate: z.string().optional().meta({
    description: "What tracing systems add; the mesh keeps and sends on at most 512 characters",
    example: "vendor=value",
  }),
});

/** The trace that a request belongs to; null if its headers name none. */
export const traceOf = (c: AppContext): TraceContext | null =>
  readTrace({
    traceparent: c.req.header("traceparent"),
    tracestate: c.req.header("tracestate"),
  });
