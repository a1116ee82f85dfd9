import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { familyOf, findFamily, METRIC_NAMES } from "../../src/metrics/catalog.ts";
import { COORDINATOR_FAMILIES } from "../../src/metrics/coordinator-families.ts";
import { KINDS, type LabelValues } from "../../src/metrics/family.ts";
import { PEER_FAMILIES } from "../../src/metrics/peer-families.ts";
import { TASK_FAMILIES } from "../../src/metrics/task-families.ts";
import { TRACING_FAMILIES } from "../../src/metrics/tracing-families.ts";

const docs = join(import.meta.dirname, "../../docs");
const MARK = "documentation.test.ts -u -->\n";

const labelText = (name: string, values: LabelValues): string => {
  if (values === KINDS) return `\`${name}\``;
  if ("upTo" in values || values.length > 12) return `\`${name}\``;
  return `\`${name}\` (${values.join(", ")})`;
};

/** A family as the page lists it, by the name of its samples. */
function entryOf(name: (typeof METRIC_NAMES)[number]): string {
  const { type, help, labels } = familyOf(name);
  const full = type === "counter" ? `${name}_total` : name;
  const by = Object.entries(labels).map(([label, values]) => labelText(label, values));
  return `- \`${full}\`: ${type}${by.length === 0 ? "" : ` by ${by.join(", ")}`}. ${help}`;
}

const section = (title: string, families: object): string =>
  [`### ${title}`, "", ...(Object.keys(families) as typeof METRIC_NAMES).map(entryOf)].join("\n");

describe("docs/metrics.md", () => {
  it("MT16 lists every family; `npx vitest run --project core test/metrics/documentation.test.ts -u` renews it", async () => {
    const file = join(docs, "metrics.md");
    const page = readFileSync(file, "utf8");
    const begun = page.slice(0, page.indexOf(MARK) + MARK.length);
    const sections = [
      section("Peers", PEER_FAMILIES),
      section("Tasks", TASK_FAMILIES),
      section("Coordinator", COORDINATOR_FAMILIES),
      section("Spans", TRACING_FAMILIES),
    ];
    await expect(`${begun}\n${sections.join("\n\n")}\n`).toMatchFileSnapshot(file);
  });
});

/** What PromQL may name: the samples of every family. */
const SAMPLES = new Set(
  METRIC_NAMES.flatMap((name) => {
    const { type } = familyOf(name);
    if (type === "counter") return [`${name}_total`];
    if (type === "gauge") return [name];
    // The names of sum and count of a gaugehistogram depend on the format.
    return type === "histogram"
      ? [`${name}_bucket`, `${name}_sum`, `${name}_count`]
      : [`${name}_bucket`];
  }),
);

const baseOf = (sample: string): string =>
  findFamily(sample) === undefined ? sample.replace(/_(?:total|bucket|sum|count)$/, "") : sample;

/** What an expression names that does not exist: families, labels, and values of labels. */
function unknownIn(expression: string): readonly string[] {
  const unknown: string[] = [];
  for (const [, name = "", inBraces = ""] of expression.matchAll(
    /\b(muster_\w+)(?:\{([^}]*)\})?/g,
  )) {
    if (!SAMPLES.has(name)) {
      unknown.push(name);
      continue;
    }
    const labels = findFamily(baseOf(name))?.labels ?? {};
    for (const [, label = "", value = ""] of inBraces.matchAll(/(\w+)=~?"([^"]*)"/g)) {
      if (label === "job") continue;
      const values = labels[label];
      if (values === undefined) unknown.push(`${name}{${label}}`);
      else if (!("upTo" in values))
        for (const each of value.split("|"))
          if (!values.includes(each)) unknown.push(`${name}{${label}="${each}"}`);
    }
  }
  for (const [, labels = ""] of expression.matchAll(/\bby \(([^)]*)\)/g))
    for (const label of labels.split(",").map((each) => each.trim()))
      if (label !== "le" && !ALL_LABELS.has(label)) unknown.push(`by (${label})`);
  return unknown;
}

const ALL_LABELS = new Set(METRIC_NAMES.flatMap((name) => Object.keys(familyOf(name).labels)));

describe("what operators import", () => {
  const rules = readFileSync(join(docs, "metrics/alert-rules.yaml"), "utf8");
  const dashboard = readFileSync(join(docs, "metrics/grafana-dashboard.json"), "utf8");

  it("MT16 the alert rules name only families, labels and values that exist", () => {
    expect([...rules.matchAll(/- alert: /g)].length).toBeGreaterThan(10);
    expect(unknownIn(rules)).toEqual([]);
  });

  it("MT16 the dashboard names only families, labels and values that exist, and every family", () => {
    interface Panel {
      readonly id: number;
      readonly targets?: readonly { readonly expr: string }[];
    }
    const { panels } = JSON.parse(dashboard) as { readonly panels: readonly Panel[] };
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(expressions.flatMap(unknownIn)).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const shown = new Set(
      expressions.flatMap((each) =>
        [...each.matchAll(/\bmuster_\w+/g)].map(([name]) => baseOf(name)),
      ),
    );
    expect(METRIC_NAMES.filter((name) => !shown.has(name))).toEqual([]);
  });

  it("MT16 a name that does not exist is found", () => {
    expect(unknownIn('rate(muster_tasks_ended[5m]) + muster_peers{state="dead"}')).toEqual([
      "muster_tasks_ended",
      'muster_peers{state="dead"}',
    ]);
    expect(unknownIn('sum by (peer) (muster_peers{id="x"})')).toEqual([
      "muster_peers{id}",
      "by (peer)",
    ]);
  });
});
