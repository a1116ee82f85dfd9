import { z } from "zod";

/** A 64-bit number in the JSON of Protocol Buffers. */
const Int64 = z.string().regex(/^\d{1,20}$/);
const Value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.string().regex(/^-?\d{1,19}$/) }),
  z.strictObject({ doubleValue: z.number() }),
]);
const Attributes = z.array(z.strictObject({ key: z.string().min(1), value: Value }));

const OtlpSpan = z.strictObject({
  traceId: z.string().regex(/^(?!0{32})[\da-f]{32}$/),
  spanId: z.string().regex(/^(?!0{16})[\da-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^(?!0{16})[\da-f]{16}$/)
    .optional(),
  traceState: z.string().max(512).optional(),
  flags: z.int().min(0).max(0x3ff),
  name: z.string().min(1),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: Int64,
  endTimeUnixNano: Int64,
  attributes: Attributes,
  status: z.union([z.strictObject({}), z.strictObject({ code: z.literal(2) })]),
});

/**
 * ExportTraceServiceRequest, as far as the mesh sends it (opentelemetry/proto/collector/trace/v1/trace_service.proto), in the JSON of
 * Protocol Buffers with OTLP's exceptions: IDs in hex, enumerations as numbers. Fields that the protocol does not have are refused.
 */
const ExportTraceServiceRequest = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes: Attributes }),
        scopeSpans: z
          .array(
            z.strictObject({
              scope: z.strictObject({ name: z.string(), version: z.string() }),
              spans: z.array(OtlpSpan).min(1),
            }),
          )
          .length(1),
      }),
    )
    .length(1),
});

export type OtlpSpan = z.infer<typeof OtlpSpan>;

/** The spans of a request, and the attributes of what sent it. Throws if it is not as OTLP says. */
export function readOtlp(body: string) {
  const { resourceSpans } = ExportTraceServiceRequest.parse(JSON.parse(body));
  const [all] = resourceSpans;
  const spans = all?.scopeSpans[0]?.spans ?? [];
  for (const { startTimeUnixNano: from, endTimeUnixNano: to } of spans)
    if (BigInt(from) > BigInt(to)) throw new Error("a span ends before it starts");
  const resource = Object.fromEntries(
    (all?.resource.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]),
  );
  return { spans, resource };
}
