/** A family as a strict reader of OpenMetrics 1.0 or of the older text format finds it. */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string | null;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads metrics, and throws at anything that the format forbids. Written from the specification, apart from the writer. */
export function parseMetrics(
  text: string,
  format: "openmetrics" | "prometheus",
): readonly ParsedFamily[] {
  if (text === "" && format === "prometheus") return [];
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new Error("no # EOF at the end");
  const families: {
    name: string;
    type: string;
    unit: string | null;
    help: string;
    samples: ParsedSample[];
  }[] = [];
  const seen = new Set<string>();
  for (const line of lines) {
    const meta = /^# (TYPE|UNIT|HELP) ([a-z_:][a-z0-9_:]*) (.*)$/.exec(line);
    if (line.startsWith("#")) {
      if (meta === null) throw new Error(`no comment of the format: ${line}`);
      const [, what = "", name = "", rest = ""] = meta;
      let family = families.at(-1);
      if (family?.name !== name) {
        if (families.some((each) => each.name === name)) throw new Error(`${name} is split`);
        families.push((family = { name, type: "", unit: null, help: "", samples: [] }));
      }
      if (family.samples.length > 0) throw new Error(`${what} of ${name} after its samples`);
      if (what === "TYPE") family.type = rest;
      else if (what === "UNIT") family.unit = rest;
      else family.help = unescaped(rest);
      continue;
    }
    const family = families.at(-1);
    if (family === undefined) throw new Error(`a sample without a family: ${line}`);
    const sample = parseSample(line);
    const key = JSON.stringify([
      sample.name,
      Object.entries(sample.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ]);
    if (seen.has(key)) throw new Error(`repeated: ${line}`);
    seen.add(key);
    if (!suffixes(family.type, format).some((suffix) => `${family.name}${suffix}` === sample.name))
      throw new Error(`${sample.name} is no sample of the ${family.type} ${family.name}`);
    family.samples.push(sample);
  }
  for (const family of families) checkHistograms(family);
  return families;
}

function suffixes(type: string, format: "openmetrics" | "prometheus"): readonly string[] {
  switch (type) {
    case "counter":
      return format === "openmetrics" ? ["_total"] : [""];
    case "histogram":
      return ["_bucket", "_count", "_sum"];
    case "gaugehistogram":
      return ["_bucket", "_gcount", "_gsum"];
    case "gauge":
      return [""];
    default:
      throw new Error(`unknown type ${type}`);
  }
}

function parseSample(line: string): ParsedSample {
  const match = /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$/s.exec(line);
  if (match === null) throw new Error(`no sample: ${line}`);
  const [, name = "", inBraces, number = ""] = match;
  const labels: Record<string, string> = {};
  let rest = inBraces ?? "";
  while (rest !== "") {
    const label = /^([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/s.exec(rest);
    if (label === null) throw new Error(`no label: ${rest}`);
    const [whole, key = "", value = ""] = label;
    if (key in labels) throw new Error(`repeated label ${key}`);
    labels[key] = unescaped(value);
    rest = rest.slice(whole.length);
  }
  return { name, labels, value: parseNumber(number) };
}

function parseNumber(text: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  if (text !== "NaN" && !/^-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?$/.test(text))
    throw new Error(`no number: ${text}`);
  return Number(text);
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));

/** Buckets grow, end with +Inf, and the last one is the count. */
function checkHistograms({ name, type, samples }: ParsedFamily): void {
  if (!type.endsWith("histogram")) return;
  const groups = new Map<string, ParsedSample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => parseNumber(labels["le"] ?? ""));
    if (bounds.at(-1) !== Infinity) throw new Error(`${name} has no bucket without a bound`);
    for (let index = 1; index < buckets.length; index++) {
      if ((bounds[index] ?? 0) <= (bounds[index - 1] ?? 0)) throw new Error(`${name}: bounds`);
      if ((buckets[index]?.value ?? 0) < (buckets[index - 1]?.value ?? 0))
        throw new Error(`${name}: a bucket is smaller than the one before`);
    }
    const count = group.find((sample) => /_g?count$/.test(sample.name));
    if (count?.value !== buckets.at(-1)?.value) throw new Error(`${name}: count`);
  }
}

/** The value of one sample; undefined if there is none. */
export const valueOf = (
  families: readonly ParsedFamily[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined =>
  families
    .flatMap(({ samples }) => samples)
    .find(
      (sample) =>
        sample.name === name &&
        Object.keys(sample.labels).length === Object.keys(labels).length &&
        Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )?.value;
