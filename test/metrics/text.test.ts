import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { familyOf, METRIC_NAMES, type MetricName } from "../../src/metrics/catalog.ts";
import type { MetricSample, MetricSnapshot } from "../../src/metrics/snapshot.ts";
import { bucketOf, withZeros } from "../../src/metrics/snapshot.ts";
import { CONTENT_TYPES, formatFor, metricsText, type TextFormat } from "../../src/metrics/text.ts";
import { parseMetrics, type ParsedFamily } from "./parse-metrics.ts";

/** Any text, most often one with the characters that the formats escape. */
const label = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\\", '"', "\n", "{", "}", ",", "=", "n", " ", "#", "\r") }),
);
const value = fc.oneof(
  fc.double().map((number) => number + 0), // there is one zero

  fc.maxSafeInteger(),
  fc.constantFrom(Infinity, -Infinity, NaN, 1e21, 5e-324),
);
const count = fc.nat({ max: 1_000_000 });

function sampleOf(name: MetricName): fc.Arbitrary<MetricSample> {
  const { labels, bounds } = familyOf(name);
  const [min, max] = [Object.keys(labels).length, Object.keys(labels).length];
  const values = fc.array(label, { minLength: min, maxLength: max });
  if (bounds === undefined) return fc.record({ labels: values, value });
  const buckets = fc.array(count, {
    minLength: bounds.length + 1,
    maxLength: bounds.length + 1,
  });
  return fc.record({ labels: values, buckets, sum: value });
}

const snapshots: fc.Arbitrary<MetricSnapshot> = fc
  .subarray([...METRIC_NAMES])
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .uniqueArray(sampleOf(name), {
            maxLength: 4,
            selector: ({ labels }) => JSON.stringify(labels),
          })
          .map((samples) => [name, samples] as const),
      ),
    ),
  )
  .map((entries) => new Map(entries));

/** What a reader must find of a family. */
function expected(
  name: MetricName,
  samples: readonly MetricSample[],
  format: TextFormat,
): ParsedFamily {
  const { type, unit, help, labels: declared, bounds = [] } = familyOf(name);
  const isOpen = format === "openmetrics";
  const base = type === "counter" && !isOpen ? `${name}_total` : name;
  const g = type === "gaugehistogram" && isOpen ? "g" : "";
  return {
    name: base,
    type: type === "gaugehistogram" && !isOpen ? "histogram" : type,
    unit: isOpen ? unit : null,
    help,
    samples: samples.flatMap((sample) => {
      const labels = Object.fromEntries(
        Object.keys(declared).map((key, index) => [key, sample.labels[index] ?? ""]),
      );
      if ("value" in sample)
        return [{ name: type === "counter" ? `${name}_total` : name, labels, value: sample.value }];
      let total = 0;
      const buckets = sample.buckets.map((each, index) => {
        total += each;
        const bound = bounds[index];
        const le =
          bound === undefined
            ? "+Inf"
            : isOpen && Number.isInteger(bound)
              ? `${bound}.0`
              : String(bound);
        return { name: `${name}_bucket`, labels: { ...labels, le }, value: total };
      });
      return [
        ...buckets,
        { name: `${name}_${g}count`, labels, value: total },
        { name: `${name}_${g}sum`, labels, value: sample.sum },
      ];
    }),
  };
}

describe("metrics as text", () => {
  it.each(["openmetrics", "prometheus"] as const)(
    "MT2 a strict reader of %s finds every sample again, whatever the labels are",
    (format) => {
      fc.assert(
        fc.property(snapshots, (snapshot) => {
          const found = parseMetrics(metricsText(snapshot, format), format);
          const wanted = [...snapshot]
            .filter(([, samples]) => samples.length > 0)
            .map(([name, samples]) => expected(name, samples, format));
          expect(found).toEqual(wanted);
        }),
        { numRuns: 300 },
      );
    },
  );

  it("MT2 the text is that of the specifications", () => {
    const snapshot: MetricSnapshot = new Map<MetricName, readonly MetricSample[]>([
      [
        "muster_peer_rtt_seconds",
        [{ labels: [], buckets: Array.from({ length: 12 }, () => 1), sum: 3.5 }],
      ],
      ["muster_tasks_ended", [{ labels: ['a"b\\c\nd', "failed"], value: 3 }]],
    ]);
    expect(metricsText(snapshot, "openmetrics")).toBe(
      `# TYPE muster_peer_rtt_seconds gaugehistogram
# UNIT muster_peer_rtt_seconds seconds
# HELP muster_peer_rtt_seconds Smoothed round trips of the connected peers that were measured.
muster_peer_rtt_seconds_bucket{le="0.005"} 1
muster_peer_rtt_seconds_bucket{le="0.01"} 2
muster_peer_rtt_seconds_bucket{le="0.025"} 3
muster_peer_rtt_seconds_bucket{le="0.05"} 4
muster_peer_rtt_seconds_bucket{le="0.1"} 5
muster_peer_rtt_seconds_bucket{le="0.15"} 6
muster_peer_rtt_seconds_bucket{le="0.2"} 7
muster_peer_rtt_seconds_bucket{le="0.3"} 8
muster_peer_rtt_seconds_bucket{le="0.5"} 9
muster_peer_rtt_seconds_bucket{le="1.0"} 10
muster_peer_rtt_seconds_bucket{le="2.0"} 11
muster_peer_rtt_seconds_bucket{le="+Inf"} 12
muster_peer_rtt_seconds_gcount 12
muster_peer_rtt_seconds_gsum 3.5
# TYPE muster_tasks_ended counter
# HELP muster_tasks_ended Tasks that ended. A task that is retried after its end can end again.
muster_tasks_ended_total{kind="a\\"b\\\\c\\nd",state="failed"} 3
# EOF
`,
    );
  });

  it("MT3 OpenMetrics is for requests that name it", () => {
    const prometheus =
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    expect(formatFor(prometheus)).toBe("openmetrics");
    for (const accept of ["", "*/*", "text/plain", "application/json"])
      expect(formatFor(accept)).toBe("prometheus");
    expect(CONTENT_TYPES.prometheus).toBe("text/plain; version=0.0.4; charset=utf-8");
  });
});

describe("samples", () => {
  it("MT1 a family with few label values has a sample of each, with 0 where nothing was counted", () => {
    const found = withZeros("muster_callback_attempts", [{ labels: ["refused"], value: 4 }], []);
    expect(found.map(({ labels, value: is }) => [...labels, is])).toEqual([
      ["acknowledged", 0],
      ["refused", 4],
      ["unreachable", 0],
    ]);
    const ended = withZeros("muster_tasks_ended", [], ["resize", "_other"]);
    expect(ended.map(({ labels }) => labels.join(" "))).toEqual(
      ["resize", "_other"].flatMap((kind) =>
        ["succeeded", "failed", "cancelled", "expired"].map((state) => `${kind} ${state}`),
      ),
    );
    expect(withZeros("muster_refusals", [], [])).toEqual([]);
    expect(withZeros("muster_commands", [], [])).toEqual([]);
  });

  it("MT2 a value is in the first bucket whose bound it does not exceed", () => {
    expect([0, 1, 1.5, 2, 9].map((each) => bucketOf([1, 2], each))).toEqual([0, 0, 1, 1, 2]);
  });
});
