import { familyOf, type MetricName } from "./catalog.ts";
import { KINDS } from "./family.ts";

/** One value of a family, with the values of its labels in their order. */
export interface NumberSample {
  readonly labels: readonly string[];
  readonly value: number;
}

/** One histogram of a family. */
export interface HistogramSample {
  readonly labels: readonly string[];
  /** The number of values in each bucket, not cumulated; the last one has no bound. */
  readonly buckets: readonly number[];
  readonly sum: number;
}

export type MetricSample = NumberSample | HistogramSample;

/** The samples of some families at one moment. */
export type MetricSnapshot = ReadonlyMap<MetricName, readonly MetricSample[]>;

/** The bucket of a value: the first whose bound is not below it. */
export function bucketOf(bounds: readonly number[], value: number): number {
  const found = bounds.findIndex((bound) => value <= bound);
  return found < 0 ? bounds.length : found;
}

/** Up to so many combinations of label values a family always has all. */
const COMBINATIONS_SHOWN_MAX = 50;

/**
 * Samples with 0 for every combination of label values that has none, so that the first event is an increase. Families with open
 * values, or with too many combinations, have only the samples that they are given.
 *
 * @param kinds the kinds of tasks that have a label
 */
export function withZeros(
  name: MetricName,
  samples: readonly NumberSample[],
  kinds: readonly string[],
): readonly NumberSample[] {
  const labels = Object.values(familyOf(name).labels);
  const lists = labels.map((values) =>
    values === KINDS ? kinds : "upTo" in values ? null : values,
  );
  let combinations: readonly (readonly string[])[] = [[]];
  for (const values of lists) {
    if (values === null) return samples;
    combinations = combinations.flatMap((known) => values.map((value) => [...known, value]));
  }
  if (combinations.length > COMBINATIONS_SHOWN_MAX && !labels.includes(KINDS)) return samples;
  const known = new Map(samples.map((sample) => [sample.labels.join(SEPARATOR), sample]));
  return combinations.map((each) => known.get(each.join(SEPARATOR)) ?? { labels: each, value: 0 });
}

/** No label value contains it. */
const SEPARATOR = "\0";
