/** The types of OpenMetrics 1.0 that Muster uses. */
type MetricType = "counter" | "gauge" | "histogram" | "gaugehistogram";

/** The label of everything that has no label value of its own. No kind has this name: a kind begins with a letter or a digit. */
export const OTHER = "_other";

/** Kinds of tasks that have a label value of their own; the rest are `OTHER`. */
export const KIND_LABELS_MAX = 100;

/** How many values a label has: those listed; the kinds of tasks; or names that come from a fixed table elsewhere. */
export type LabelValues = readonly string[] | { readonly upTo: number };

export const KINDS: LabelValues = { upTo: KIND_LABELS_MAX + 1 };

/** A metric family, as https://prometheus.io/docs/specs/om/open_metrics_spec/ has it. */
export interface MetricFamily {
  readonly type: MetricType;
  readonly help: string;
  /** The base unit, with which the name ends; null for a number without one. */
  readonly unit: "seconds" | "bytes" | null;
  /** The labels by their names, in their order. */
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** The upper bounds of a histogram's buckets, ascending. A last bucket without a bound follows. */
  readonly bounds?: readonly number[];
  /**
   * For a counter or a histogram: whether its change is written by itself a little later. One that is not is written together with others, and by a scrape.
   */
  readonly isWritten?: boolean;
}

/** How many label values there can be. */
const sizeOf = (values: LabelValues): number => ("upTo" in values ? values.upTo : values.length);

/** The most time series that a family can have. */
export function seriesMax({ type, labels, bounds = [] }: MetricFamily): number {
  const combinations = Object.values(labels).reduce((count, values) => count * sizeOf(values), 1);
  // The bounded buckets, that without a bound, the sum and the count.
  const isHistogram = type === "histogram" || type === "gaugehistogram";
  return combinations * (isHistogram ? bounds.length + 3 : 1);
}
