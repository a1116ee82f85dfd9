import type { GaugeHistogramName, GaugeName, MetricName } from "../../metrics/catalog.ts";
import type { MetricSample } from "../../metrics/snapshot.ts";

/** What is read at the moment of a scrape. */
export class Gauges {
  readonly samples = new Map<MetricName, MetricSample[]>();

  set(name: GaugeName, labels: readonly string[], value: number): void {
    this.#add(name, { labels, value });
  }

  /** @param upTo for each bound how many values are not above it, and how many there are in all */
  setHistogram(name: GaugeHistogramName, upTo: readonly number[], sum: number): void {
    const buckets = upTo.map((count, index) => count - (upTo[index - 1] ?? 0));
    this.#add(name, { labels: [], buckets, sum });
  }

  #add(name: MetricName, sample: MetricSample): void {
    const known = this.samples.get(name);
    if (known === undefined) this.samples.set(name, [sample]);
    else known.push(sample);
  }
}
