import { COORDINATOR_FAMILIES } from "./coordinator-families.ts";
import type { MetricFamily } from "./family.ts";
import { PEER_FAMILIES } from "./peer-families.ts";
import { TASK_FAMILIES } from "./task-families.ts";
import { TRACING_FAMILIES } from "./tracing-families.ts";

/**
 * Every metric family, in the order in which they are shown. No label names a peer, an owner, an address or an ID: who may read
 * the metrics does not learn who uses the mesh, and the number of series is bounded.
 */
export const METRICS = {
  ...PEER_FAMILIES,
  ...TASK_FAMILIES,
  ...COORDINATOR_FAMILIES,
  ...TRACING_FAMILIES,
} as const;

type Families = typeof METRICS;
export type MetricName = keyof Families;

type NamesOf<Type extends MetricFamily["type"]> = {
  [Name in MetricName]: Families[Name]["type"] extends Type ? Name : never;
}[MetricName];

export type CounterName = NamesOf<"counter">;
export type GaugeName = NamesOf<"gauge">;
export type GaugeHistogramName = NamesOf<"gaugehistogram">;
export type HistogramName = NamesOf<"histogram">;

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];

export const familyOf = (name: MetricName): MetricFamily => METRICS[name];

/** A family by its name; undefined if there is none. */
export const findFamily = (name: string): MetricFamily | undefined =>
  Object.hasOwn(METRICS, name) ? familyOf(name as MetricName) : undefined;

/** Time series that a family has at most. */
export const SERIES_MAX = 2_000;
