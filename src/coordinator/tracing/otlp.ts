/** Spans as OTLP/HTTP sends them in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp, "JSON Protobuf Encoding"). */
import type { Millis } from "../../base/clock.ts";
import { MUSTER_VERSION } from "../../protocol/version.ts";
import type { Span } from "./span.ts";

/** The spans of one trace. */
export interface TraceSpans {
  readonly traceId: string;
  readonly tracestate: string | null;
  /** Whether the parent of the root is a span of the caller. */
  readonly hasSubmitter: boolean;
  readonly spans: readonly Span[];
}

/** What sends the spans. */
export interface SpanSource {
  readonly meshName: string;
  readonly meshId: string;
}

/** The body of a request to `/v1/traces`. Spans that have not ended are left out. */
export const otlpBody = (traces: readonly TraceSpans[], { meshName, meshId }: SpanSource): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: attributesOf({
            "service.name": "muster",
            "service.version": MUSTER_VERSION,
            "service.instance.id": meshId,
            "muster.mesh.name": meshName,
          }),
        },
        scopeSpans: [
          {
            scope: { name: "muster", version: MUSTER_VERSION },
            spans: traces.flatMap((trace) =>
              trace.spans.flatMap((span) =>
                span.endedAt === null ? [] : [otlpSpan(trace, span, span.endedAt)],
              ),
            ),
          },
        ],
      },
    ],
  });

/** SpanKind of the protocol. */
const INTERNAL = 1;
const CLIENT = 3;
const PRODUCER = 4;
const KINDS: { readonly [N in Span["name"]]: number } = {
  "muster.task": INTERNAL,
  "muster.submit": PRODUCER,
  "muster.retry": PRODUCER,
  "muster.wait": INTERNAL,
  "muster.attempt": CLIENT,
  "muster.upload": INTERNAL,
  "muster.callback": INTERNAL,
  "muster.callback.attempt": CLIENT,
};

/** Flags of a span: sampled; that it is known whether its parent is another process's; and that it is. */
const SAMPLED = 0x1;
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const STATUS_ERROR = 2;

function otlpSpan({ traceId, tracestate, hasSubmitter }: TraceSpans, span: Span, endedAt: Millis) {
  const { spanId, parentId, name, startedAt, failed, attributes } = span;
  const isRemote = hasSubmitter && name === "muster.task";
  return {
    traceId,
    spanId,
    ...(parentId !== null && { parentSpanId: parentId }),
    ...(tracestate !== null && { traceState: tracestate }),
    flags: SAMPLED | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0),
    name,
    kind: KINDS[name],
    startTimeUnixNano: nanos(startedAt),
    endTimeUnixNano: nanos(endedAt),
    attributes: attributesOf(attributes),
    status: failed ? { code: STATUS_ERROR } : {},
  };
}

/** 64-bit numbers are strings in the JSON of Protocol Buffers. */
const nanos = (at: Millis): string => `${Math.round(at)}000000`;

const attributesOf = (attributes: Span["attributes"]) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(key, value) }));

/** Attributes that are fractions, also when they are 0 or 1: a backend gives each attribute one type. */
const FRACTIONS: ReadonlySet<string> = new Set(["muster.peer.score"]);

function valueOf(key: string, value: string | number | boolean) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return FRACTIONS.has(key) ? { doubleValue: value } : { intValue: String(Math.round(value)) };
}
