import { familyOf, type MetricName } from "./catalog.ts";
import type { MetricFamily } from "./family.ts";
import type { HistogramSample, MetricSample, MetricSnapshot } from "./snapshot.ts";

/** The formats that Prometheus and its relatives read. */
export type TextFormat = "openmetrics" | "prometheus";

export const CONTENT_TYPES: { readonly [Format in TextFormat]: string } = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
};

/** The format for a request with this `Accept` header: OpenMetrics for whoever names it, as other programs do. */
export const formatFor = (accept: string): TextFormat =>
  accept.toLowerCase().includes("application/openmetrics-text") ? "openmetrics" : "prometheus";

/**
 * The samples as text. Sources: OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), and the format 0.0.4 that came
 * before it (https://prometheus.io/docs/instrumenting/exposition_formats/). A family without samples is left out.
 */
export function metricsText(snapshot: MetricSnapshot, format: TextFormat): string {
  const lines: string[] = [];
  for (const [name, samples] of snapshot) {
    if (samples.length === 0) continue;
    const family = familyOf(name);
    lines.push(...headOf(name, family, format));
    for (const sample of samples) lines.push(...linesOf(name, family, sample, format));
  }
  if (format === "openmetrics") lines.push("# EOF");
  return lines.map((line) => `${line}\n`).join("");
}

/** The lines that describe a family. In the older format a counter's family has the name of its samples, and there is no unit. */
function headOf(
  name: MetricName,
  { type, help, unit }: MetricFamily,
  format: TextFormat,
): readonly string[] {
  if (format === "openmetrics")
    return [
      `# TYPE ${name} ${type}`,
      ...(unit === null ? [] : [`# UNIT ${name} ${unit}`]),
      `# HELP ${name} ${escaped(help)}`,
    ];
  const full = type === "counter" ? `${name}_total` : name;
  const shown = type === "gaugehistogram" ? "histogram" : type;
  return [`# HELP ${full} ${escapedHelp(help)}`, `# TYPE ${full} ${shown}`];
}

function linesOf(
  name: MetricName,
  family: MetricFamily,
  sample: MetricSample,
  format: TextFormat,
): readonly string[] {
  const names = Object.keys(family.labels);
  const labels = sample.labels.map((value, index) => labelText(names[index] ?? "", value));
  if ("value" in sample) {
    const full = family.type === "counter" ? `${name}_total` : name;
    return [`${full}${inBraces(labels)} ${numberText(sample.value)}`];
  }
  return histogramLines(name, family, labels, sample, format);
}

function histogramLines(
  name: MetricName,
  { type, bounds = [] }: MetricFamily,
  labels: readonly string[],
  { buckets, sum }: HistogramSample,
  format: TextFormat,
): readonly string[] {
  // Histograms of measured values at one moment have names of their own, because they may become smaller.
  const prefix = format === "openmetrics" && type === "gaugehistogram" ? "g" : "";
  const limits = [...bounds.map((bound) => boundText(bound, format)), "+Inf"];
  let count = 0;
  const lines = limits.map((limit, index) => {
    count += buckets[index] ?? 0;
    return `${name}_bucket${inBraces([...labels, `le="${limit}"`])} ${count}`;
  });
  lines.push(`${name}_${prefix}count${inBraces(labels)} ${count}`);
  lines.push(`${name}_${prefix}sum${inBraces(labels)} ${numberText(sum)}`);
  return lines;
}

const inBraces = (labels: readonly string[]): string =>
  labels.length === 0 ? "" : `{${labels.join(",")}}`;

const labelText = (name: string, value: string): string => `${name}="${escaped(value)}"`;

const escaped = (text: string): string =>
  text.replaceAll(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));

const escapedHelp = (text: string): string =>
  text.replaceAll(/[\\\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));

/** OpenMetrics writes every bound with a fraction, so that one bucket has one name whoever writes it. */
const boundText = (bound: number, format: TextFormat): string =>
  format === "openmetrics" && Number.isInteger(bound) ? `${bound}.0` : numberText(bound);

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}
