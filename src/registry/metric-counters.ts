import type { Millis } from "../base/clock.ts";
import { isJsonObject, parseJson } from "../base/json.ts";
import {
  familyOf,
  findFamily,
  type CounterName,
  type HistogramName,
  type MetricName,
} from "../metrics/catalog.ts";
import { KINDS, OTHER, type MetricFamily } from "../metrics/family.ts";
import { KindLabels } from "../metrics/kind-labels.ts";
import { bucketOf, type MetricSample } from "../metrics/snapshot.ts";
import { text, type Sql } from "./sql.ts";

/** One time series of a counter or a histogram. */
interface Series {
  readonly name: MetricName;
  readonly labels: readonly string[];
  /** Of a counter its value; of a histogram the sum, then the number of values in each bucket. */
  readonly values: number[];
}

interface Change {
  readonly series: Series;
  readonly index: number;
  readonly by: number;
}

/** A JSON text of the table. */
interface Saved {
  readonly kinds: Readonly<Record<string, number>>;
  readonly series: readonly (readonly [string, readonly string[], readonly number[]])[];
}

/**
 * What is counted, in memory, and written behind into one row: to write each count would cost more than what it counts. What a transaction
 * counts holds once it commits. A crash loses counts that were not written. A scrape writes them before it shows them: Prometheus takes a
 * counter that decreases for a restart, and adds its whole value.
 */
export class MetricCounters {
  readonly #sql: Sql;
  #series = new Map<string, Series>();
  #kinds: KindLabels | null = null;
  /** What the open transactions have counted, and how much of it when each began, the innermost last. */
  #changes: Change[] = [];
  readonly #before: number[] = [];
  /** Changes that are written by themselves, since the last write; and whether there are any others. */
  #unwritten = 0;
  #isChanged = false;
  /** The text that the table has; the one before, until the transaction that has written it commits. */
  #saved: string | null = null;
  #savedBefore: string | null | undefined = undefined;

  /** When this object was loaded; null until `started`. */
  #startedAt: Millis | null = null;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Counts that are to be written soon. */
  get unwritten(): number {
    return this.#unwritten;
  }

  get startedAt(): Millis | null {
    return this.#startedAt;
  }

  /** Counts that the object was loaded. */
  started(now: Millis): void {
    this.#startedAt = now;
    this.count("muster_coordinator_starts");
  }

  count(name: CounterName, labels: readonly string[] = [], by = 1): void {
    const series = this.#seriesOf(name, labels);
    if (series !== null) this.#change({ series, index: 0, by });
  }

  observe(name: HistogramName, labels: readonly string[], value: number): void {
    const series = this.#seriesOf(name, labels);
    if (series === null) return;
    this.#change({ series, index: 0, by: value });
    const bucket = bucketOf(familyOf(name).bounds ?? [], value);
    this.#change({ series, index: 1 + bucket, by: 1 });
  }

  /** The label of the kind of a task that was accepted now. */
  useKind(kind: string, now: Millis): string {
    return this.#loaded().use(kind, now);
  }

  /** The label of a kind. */
  kindLabel(kind: string): string {
    return this.#loaded().of(kind);
  }

  /** The labels of kinds: those that have one, and the one of the rest. */
  kindLabels(): readonly string[] {
    return [...Array.from(this.#loaded().entries(), ([kind]) => kind), OTHER];
  }

  /** Writes what was counted, if anything was. */
  flush(): void {
    if (!this.#isChanged) return;
    if (this.#before.length > 0 && this.#savedBefore === undefined) this.#savedBefore = this.#saved;
    const saved = JSON.stringify({
      kinds: Object.fromEntries(this.#loaded().entries()),
      series: Array.from(this.#series.values(), ({ name, labels, values }) => [
        name,
        labels,
        values,
      ]),
    } satisfies Saved);
    this.#sql.exec(
      `INSERT INTO metric_counters (one, saved) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET saved = excluded.saved`,
      saved,
    );
    this.#saved = saved;
    this.#isChanged = false;
    this.#unwritten = 0;
  }

  /** What was counted, as far as it is written. */
  written(): ReadonlyMap<MetricName, readonly MetricSample[]> {
    this.#loaded();
    return samplesOf(
      this.#isChanged ? readSeries(readSaved(this.#saved).series).values() : this.#series.values(),
    );
  }

  begin(): void {
    this.#before.push(this.#changes.length);
  }

  commit(): void {
    this.#before.pop();
    if (this.#before.length > 0) return;
    this.#savedBefore = undefined;
    const changes = this.#changes;
    if (changes.length === 0) return;
    this.#changes = [];
    for (const change of changes) this.#apply(change);
  }

  rollback(): void {
    this.#changes.length = this.#before.pop() ?? 0;
    if (this.#savedBefore === undefined) return;
    this.#saved = this.#savedBefore;
    this.#isChanged = true;
    this.#unwritten++;
    if (this.#before.length === 0) this.#savedBefore = undefined;
  }

  #change(change: Change): void {
    if (this.#before.length === 0) this.#apply(change);
    else this.#changes.push(change);
  }

  #apply({ series, index, by }: Change): void {
    series.values[index] = (series.values[index] ?? 0) + by;
    this.#isChanged = true;
    if (familyOf(series.name).isWritten === true) this.#unwritten++;
  }

  #seriesOf(name: MetricName, labels: readonly string[]): Series | null {
    this.#loaded();
    const key = keyOf(name, labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const family = familyOf(name);
    const declared = declaredLabels(family, labels);
    if (declared === null) return null;
    const declaredKey = keyOf(name, declared);
    const other = this.#series.get(declaredKey);
    if (other !== undefined) return other;
    const series = { name, labels: declared, values: zeros(family) };
    this.#series.set(declaredKey, series);
    return series;
  }

  #loaded(): KindLabels {
    if (this.#kinds !== null) return this.#kinds;
    const [row] = this.#sql.exec(`SELECT saved FROM metric_counters`);
    this.#saved = row === undefined ? null : text(row, "saved");
    const { kinds, series } = readSaved(this.#saved);
    this.#series = readSeries(series);
    return (this.#kinds = new KindLabels(Object.entries(kinds), (kind) => this.#forget(kind)));
  }

  /** Forgets the series of a kind that has lost its label. */
  #forget(kind: string): void {
    for (const [key, { name, labels }] of this.#series)
      if (kindOf(familyOf(name), labels) === kind) this.#series.delete(key);
  }
}

const keyOf = (name: string, labels: readonly string[]): string => `${name}\0${labels.join("\0")}`;

const zeros = ({ bounds }: MetricFamily): number[] =>
  Array.from({ length: bounds === undefined ? 1 : bounds.length + 2 }, () => 0);

/** The labels with `OTHER` in place of values that are not listed; null if the family has no such value, either. */
function declaredLabels(family: MetricFamily, labels: readonly string[]): readonly string[] | null {
  const lists = Object.values(family.labels);
  if (lists.length !== labels.length) return null;
  const isListed = (label: string, index: number): boolean => {
    const list = lists[index] ?? [];
    return "upTo" in list || list.includes(label);
  };
  const declared = labels.map((label, index) => (isListed(label, index) ? label : OTHER));
  return declared.every(isListed) ? declared : null;
}

/** The value of the label that names a kind; undefined if the family has none. */
const kindOf = (family: MetricFamily, labels: readonly string[]): string | undefined =>
  labels[Object.values(family.labels).indexOf(KINDS)];

function readSaved(saved: string | null): Saved {
  const json = saved === null ? null : parseJson(saved);
  return isJsonObject(json) ? (json as unknown as Saved) : { kinds: {}, series: [] };
}

/** The series of a text that a mesh of any version wrote: those that this version does not have, or has in another form, begin anew. */
function readSeries(saved: Saved["series"]): Map<string, Series> {
  const found = new Map<string, Series>();
  for (const [name, labels, values] of saved) {
    const family = findFamily(name);
    if (family === undefined || values.length !== zeros(family).length) continue;
    if (declaredLabels(family, labels)?.join("\0") !== labels.join("\0")) continue;
    found.set(keyOf(name, labels), { name: name as MetricName, labels, values: [...values] });
  }
  return found;
}

function samplesOf(all: Iterable<Series>): ReadonlyMap<MetricName, readonly MetricSample[]> {
  const samples = new Map<MetricName, MetricSample[]>();
  for (const { name, labels, values } of all) {
    const [first = 0, ...buckets] = values;
    const sample =
      buckets.length === 0 ? { labels, value: first } : { labels, buckets, sum: first };
    const known = samples.get(name);
    if (known === undefined) samples.set(name, [sample]);
    else known.push(sample);
  }
  return samples;
}
