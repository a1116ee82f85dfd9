import { familyOf, METRIC_NAMES, type GaugeName, type MetricName } from "./catalog.ts";
import { KIND_LABELS_MAX, KINDS, OTHER } from "./family.ts";
import type { HistogramSample, MetricSample, MetricSnapshot, NumberSample } from "./snapshot.ts";

/** How a gauge of the mesh follows from those of its cells: their sum, the largest, or that of the first cell, because all have the same. */
type GaugeRule = "sum" | "max" | "first";

/** Total: a gauge without a rule does not compile. Counters and histograms are summed. */
const GAUGE_RULES: { readonly [Name in GaugeName]: GaugeRule } = {
  muster_peers: "sum",
  muster_peers_scheduling: "sum",
  muster_peer_slots: "sum",
  muster_circuits_open: "sum",
  muster_tasks_waiting: "sum",
  muster_tasks_scheduled: "sum",
  muster_tasks_running: "sum",
  muster_tasks_oldest_wait_seconds: "max",
  muster_leases: "sum",
  muster_alerts: "sum",
  muster_outbox_entries: "sum",
  muster_outbox_failing_entries: "sum",
  muster_outbox_overdue_seconds: "max",
  muster_callbacks_pending: "sum",
  muster_callbacks_overdue_seconds: "max",
  muster_kv_writes_last_day: "sum",
  muster_kv_writes_budget: "sum",
  muster_storage_used_bytes: "sum",
  muster_storage_limit_bytes: "sum",
  muster_storage_submissions_limit_bytes: "sum",
  // The restart that was last.
  muster_coordinator_start_time_seconds: "max",
  muster_cell_messages: "sum",
  muster_cell_messages_oldest_seconds: "max",
  muster_auth_mode: "first",
  muster_span_queue_entries: "sum",
  // Added here: no cell has it.
  muster_cell_up: "first",
};

/** The metrics of one cell. */
export interface CellSnapshot {
  readonly cell: number;
  readonly snapshot: MetricSnapshot;
}

/**
 * The metrics of a mesh of several cells, with a gauge that says which cells answered.
 *
 * @param missing the cells that do not answer
 */
export function mergeSnapshots(
  cells: readonly CellSnapshot[],
  missing: readonly number[],
): MetricSnapshot {
  const labelOf = kindLabels(cells);
  const up = [...cells.map(({ cell }) => ({ cell, value: 1 })), ...missing.map(isDown)]
    .toSorted((a, b) => a.cell - b.cell)
    .map(({ cell, value }) => ({ labels: [String(cell)], value }));
  return new Map(
    METRIC_NAMES.map((name): [MetricName, readonly MetricSample[]] => {
      if (name === "muster_cell_up") return [name, up];
      const merged = new Map<string, MetricSample>();
      for (const { snapshot } of cells)
        for (const sample of snapshot.get(name) ?? []) {
          const labels = labelsOf(name, sample, labelOf);
          const key = labels.join(SEPARATOR);
          merged.set(key, added(name, merged.get(key), { ...sample, labels }));
        }
      return [name, [...merged.values()]];
    }),
  );
}

const isDown = (cell: number) => ({ cell, value: 0 });

/** The snapshot without what may only grow. */
export const withoutTotals = (snapshot: MetricSnapshot): MetricSnapshot =>
  new Map(
    [...snapshot].filter(([name]) => {
      const { type } = familyOf(name);
      return type === "gauge" || type === "gaugehistogram";
    }),
  );

/** A sample with another one of the same labels added to it. */
function added(
  name: MetricName,
  known: MetricSample | undefined,
  sample: MetricSample,
): MetricSample {
  if (known === undefined) return sample;
  if ("value" in known && "value" in sample) return addedNumber(name, known, sample);
  if ("buckets" in known && "buckets" in sample) return addedHistogram(known, sample);
  return known;
}

function addedNumber(name: MetricName, known: NumberSample, { value }: NumberSample): NumberSample {
  const rule = ruleOf(name);
  if (rule === "first") return known;
  return { ...known, value: rule === "max" ? Math.max(known.value, value) : known.value + value };
}

const ruleOf = (name: MetricName): GaugeRule =>
  (GAUGE_RULES as { readonly [Name in MetricName]?: GaugeRule })[name] ?? "sum";

const addedHistogram = (known: HistogramSample, sample: HistogramSample): HistogramSample => ({
  labels: known.labels,
  buckets: known.buckets.map((count, index) => count + (sample.buckets[index] ?? 0)),
  sum: known.sum + sample.sum,
});

/**
 * Every cell has labels for the kinds that it knows. The mesh has as many as one cell may have; the kinds of the cells with the lowest numbers
 * come first, so that a kind keeps its label.
 */
function kindLabels(cells: readonly CellSnapshot[]): (kind: string) => string {
  const kinds = new Set<string>();
  for (const { snapshot } of cells)
    for (const { labels } of snapshot.get("muster_tasks_waiting") ?? [])
      for (const kind of labels)
        if (kind !== OTHER && kinds.size < KIND_LABELS_MAX) kinds.add(kind);
  return (kind) => (kinds.has(kind) ? kind : OTHER);
}

/** The values of a sample's labels, with those of kinds that have no label in the mesh replaced. */
function labelsOf(
  name: MetricName,
  { labels }: MetricSample,
  labelOf: (kind: string) => string,
): readonly string[] {
  const values = Object.values(familyOf(name).labels);
  return values.includes(KINDS)
    ? labels.map((value, index) => (values[index] === KINDS ? labelOf(value) : value))
    : labels;
}

/** No label value contains it. */
const SEPARATOR = "\0";
