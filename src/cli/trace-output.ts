import type { TaskTrace } from "../client/index.ts";
import { counted } from "./output.ts";
import { table } from "./table.ts";

type Span = TaskTrace["spans"][number];

/** The columns of a bar. */
const BAR_COLUMNS = 40;

/**
 * The timeline of a task: a line for each span, below the one that it belongs to, with a bar from its start to its end. Of a task that was
 * retried first what is stored of the rounds before, each with times of its own.
 */
export function timelineLines(trace: TaskTrace): string[] {
  const { task_id: id, trace_id: traceId, spans, earlier_rounds: earlier } = trace;
  const root = rootOf(spans);
  if (root === undefined) return [];
  const { attributes } = root;
  const { "muster.task.state": state = "", "muster.task.kind": kind = "" } = attributes;
  const end = endOf(root);
  const took = end === null ? "not ended" : durationText(end - Date.parse(root.started_at));
  const retries = Number(attributes["muster.task.retries"] ?? 0);
  return [
    `task ${id}: ${kind}, ${state}, ${took}`,
    `trace ${traceId}`,
    ...earlierLines(earlier, retries),
    ...tableOf(spans, root),
  ];
}

/** What is known of the rounds before the newest retry, and of which nothing is. */
function earlierLines(earlier: TaskTrace["earlier_rounds"], retries: number): readonly string[] {
  if (retries === 0) return [];
  const unknown = retries - earlier.length;
  const known = earlier.flatMap((round) => {
    const root = rootOf(round.spans);
    return root === undefined
      ? []
      : [
          `before retry ${round.retries + 1}, from ${root.started_at}:`,
          ...tableOf(round.spans, root),
        ];
  });
  return [
    ...(unknown > 0 ? [`of ${counted(unknown, "earlier round")} no attempt is known`] : []),
    ...(known.length > 0
      ? [...known, "when these rounds ended, and their callbacks, is not stored"]
      : []),
    `since retry ${retries}:`,
  ];
}

function rootOf(spans: readonly Span[]): Span | undefined {
  const known = new Set(spans.map(({ span_id: spanId }) => spanId));
  const isRoot = ({ parent_span_id: parent }: Span) => parent === null || !known.has(parent);
  return spans.find(isRoot) ?? spans[0];
}

/** A table with a line for each span below the root. */
function tableOf(spans: readonly Span[], root: Span): readonly string[] {
  const from = Date.parse(root.started_at);
  const ends = spans.map((span) => endOf(span) ?? Date.parse(span.started_at));
  const to = Math.max(...ends);
  const rows = below(spans, root, 0, new Set([root])).map(({ span, depth }) => {
    const startedAt = Date.parse(span.started_at);
    const endedAt = endOf(span);
    return [
      `${"  ".repeat(depth)}${labelOf(span)}`,
      durationText(startedAt - from),
      endedAt === null ? "…" : durationText(endedAt - startedAt),
      bar(startedAt - from, endedAt === null ? null : endedAt - from, to - from),
      detailOf(span),
    ];
  });
  return table(["SPAN", "AFTER", "TIME", "", ""], rows);
}

const endOf = ({ ended_at: at }: Span): number | null => (at === null ? null : Date.parse(at));

interface Placed {
  readonly span: Span;
  readonly depth: number;
}

/** The spans below one, in the order of their starts, each followed by those below it. */
function below(
  spans: readonly Span[],
  parent: Span,
  depth: number,
  placed: Set<Span>,
): readonly Placed[] {
  return (
    spans
      .filter(({ parent_span_id: id }) => id === parent.span_id)
      .toSorted((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at))
      // What a faulty mesh sends may be below itself.
      .flatMap((span) => {
        if (placed.has(span)) return [];
        placed.add(span);
        return [{ span, depth }, ...below(spans, span, depth + 1, placed)];
      })
  );
}

/** `attempt 2` for `muster.attempt` with that fence; a name that a newer mesh has as it is. */
function labelOf({ name, attributes }: Span): string {
  const word = name.replace(/^muster\.(?:callback\.)?/, "");
  const fence = name === "muster.attempt" ? attributes["muster.attempt.fence"] : undefined;
  return fence === undefined ? word : `${word} ${String(fence)}`;
}

function detailOf({ attributes, failed }: Span): string {
  const of = (name: string): string | null =>
    attributes[name] === undefined ? null : String(attributes[name]);
  const begun = of("muster.attempt.begun_after_ms");
  const bytes = of("muster.result.bytes");
  const parts = [
    of("muster.peer.name"),
    of("muster.attempt.state"),
    begun === null ? null : `begun after ${durationText(Number(begun))}`,
    bytes === null ? null : `${bytes} bytes`,
    of("server.address"),
    of("muster.callback.state"),
    of("http.response.status_code"),
  ].filter((part) => part !== null && part !== "");
  const isTold = attributes["muster.attempt.state"] !== undefined;
  return [...parts, ...(failed && !isTold ? ["failed"] : [])].join(", ");
}

/** From the start to the end of a span; `>` at the edge if it has not ended. A span of no length has one column. */
function bar(start: number, end: number | null, whole: number): string {
  const column = (at: number): number =>
    whole <= 0 ? 0 : Math.min(BAR_COLUMNS - 1, Math.floor((at / whole) * BAR_COLUMNS));
  const first = column(start);
  const last = end === null ? BAR_COLUMNS - 1 : Math.max(first, column(end));
  const drawn = "=".repeat(last - first + 1);
  return " ".repeat(first) + (end === null ? `${drawn.slice(1)}>` : drawn);
}

/** `250 ms`, `1.5 s`, `2 min 3 s`, `1 h 30 min`. */
function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
