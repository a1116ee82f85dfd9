/** W3C Trace Context: which trace a request belongs to (https://www.w3.org/TR/trace-context-2/). */

/** The place of a request in a trace, as two headers state it. */
export interface TraceContext {
  /** Version 00, whatever version it came in. */
  readonly traceparent: string;
  /** What tracing systems add for themselves, the newest first. */
  readonly tracestate: string | null;
}

/** The headers as they came. */
export interface TraceHeaders {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** Longer headers are not read: a later version of `traceparent` may be longer than 55 characters. */
export const TRACEPARENT_CHARS_MAX = 512;
export const TRACESTATE_READ_CHARS_MAX = 8_192;
/** What is kept and sent on of a `tracestate`; the specification asks for at least this much (section 3.3.1.5). */
const TRACESTATE_CHARS_MAX = 512;
const MEMBERS_MAX = 32;
/** Of a list that is too long, members of more characters than this go first. */
const LONG_MEMBER_CHARS = 128;

/**
 * The trace that the headers name; null if there is none. Headers that are not valid are ignored, as the specification asks: the
 * request is served as if they were absent. A `tracestate` means nothing without a `traceparent`.
 */
export function readTrace(headers: TraceHeaders): TraceContext | null {
  const traceparent = readTraceparent(headers.traceparent ?? "");
  if (traceparent === null) return null;
  return { traceparent, tracestate: readTracestate(headers.tracestate ?? "") };
}

/** The headers that send a trace on. */
export const traceHeaders = (
  trace: TraceContext | null,
): { readonly traceparent?: string; readonly tracestate?: string } => ({
  ...(trace !== null && { traceparent: trace.traceparent }),
  ...(typeof trace?.tracestate === "string" && { tracestate: trace.tracestate }),
});

/** The trace ID of a `traceparent`, as it came; null if it is not valid. */
export const traceIdIn = (traceparent: string | undefined): string | null =>
  readTraceparent(traceparent ?? "")?.slice(3, 35) ?? null;

/** A `traceparent` in the form of version 00; null if it is not valid (section 3.2). */
export function readTraceparent(text: string): string | null {
  if (text.length > TRACEPARENT_CHARS_MAX) return null;
  const [, version, traceId = "", parentId = "", flags = "", rest = ""] =
    TRACEPARENT.exec(withoutSpace(text)) ?? [];
  if (version === undefined || version === "ff") return null;
  // A later version may have more fields. Of its flags only the first is known to be what it was.
  const isFirst = version === "00";
  if (isFirst && rest !== "") return null;
  if (ZEROS.test(traceId) || ZEROS.test(parentId)) return null;
  const known = Number.parseInt(flags, 16) & (isFirst ? SAMPLED | RANDOM : SAMPLED);
  return traceparentOf(traceId, parentId, known);
}

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
/** Flags: whether the caller records the trace; whether the last 7 bytes of the trace ID are random. Others are cleared. */
const SAMPLED = 1;
const RANDOM = 2;

const traceparentOf = (traceId: string, parentId: string, flags: number): string =>
  `00-${traceId}-${parentId}-${flags.toString(16).padStart(2, "0")}`;

/** Spaces and tabs around a header's value are no part of it. */
const withoutSpace = (text: string): string => text.replaceAll(/^[ \t]+|[ \t]+$/g, "");

/**
 * A `tracestate` with at most 512 characters; null if it is not valid, or empty (section 3.3). Of a key that occurs twice the first
 * member counts, which is the newest.
 */
export function readTracestate(text: string): string | null {
  if (text.length > TRACESTATE_READ_CHARS_MAX) return null;
  const members = text
    .split(",")
    .map(withoutSpace)
    .filter((member) => member !== "");
  if (members.length > MEMBERS_MAX || !members.every((member) => MEMBER.test(member))) return null;
  const keys = members.map(keyOf);
  const kept = shortened(members.filter((member, index) => keys.indexOf(keyOf(member)) === index));
  return kept.length === 0 ? null : kept.join(",");
}

const keyOf = (member: string): string => member.slice(0, member.indexOf("="));

/** `key=value`: a key with or without a tenant, and a value of printable ASCII that does not end with a space. */
const MEMBER =
  /^(?:[a-z][a-z\d_*/-]{0,255}|[a-z\d][a-z\d_*/-]{0,240}@[a-z][a-z\d_*/-]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/** The members that fit: long ones are left out first, and then the oldest. */
function shortened(members: readonly string[]): readonly string[] {
  let kept = [...members];
  const isTooLong = (): boolean => kept.join(",").length > TRACESTATE_CHARS_MAX;
  while (isTooLong()) {
    const long = kept.findLastIndex((member) => member.length > LONG_MEMBER_CHARS);
    kept = kept.toSpliced(long, 1); // -1 is the last one
  }
  return kept;
}
