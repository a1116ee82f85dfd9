import { describe, expect, it } from "vitest";
import { COMMAND_CALLERS } from "../../src/contract/commands.ts";
import { familyOf, METRIC_NAMES, SERIES_MAX } from "../../src/metrics/catalog.ts";
import { seriesMax } from "../../src/metrics/family.ts";
import { COORDINATOR_FAMILIES } from "../../src/metrics/coordinator-families.ts";

describe("the catalog of metrics", () => {
  it.each(METRIC_NAMES)("MT1 %s follows the conventions of Prometheus", (name) => {
    const { type, unit, help, labels, bounds } = familyOf(name);
    expect(name).toMatch(/^muster_[a-z]+(?:_[a-z]+)*$/);
    expect(name).not.toMatch(/_(?:total|count|sum|bucket|gcount|gsum|created|info)$/);
    if (unit === null) expect(name).not.toMatch(/_(?:seconds|bytes|ms|mb)$/);
    else expect(name.endsWith(`_${unit}`)).toBe(true);
    expect(help).toMatch(/^[A-Z0-9].*\.$/);
    for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(Object.keys(labels)).not.toContain("le");
    expect(bounds !== undefined).toBe(type.endsWith("histogram"));
    expect(bounds ?? []).toEqual([...(bounds ?? [])].toSorted((a, b) => a - b));
  });

  it.each(METRIC_NAMES)("MT1 %s has at most 2,000 series", (name) => {
    expect(seriesMax(familyOf(name))).toBeLessThanOrEqual(SERIES_MAX);
  });

  it("MT1 the label of commands has room for every command", () => {
    const { upTo } = COORDINATOR_FAMILIES.muster_commands.labels.command;
    expect(Object.keys(COMMAND_CALLERS).length).toBeLessThanOrEqual(upTo);
  });

  it("MT4 no label is one of a peer, an owner, a token, an address or a task", () => {
    const labels = new Set(METRIC_NAMES.flatMap((name) => Object.keys(familyOf(name).labels)));
    expect([...labels].toSorted()).toEqual([
      "alert",
      "answer",
      "cell",
      "command",
      "kind",
      "mode",
      "outcome",
      "place",
      "protocol",
      "reason",
      "result",
      "role",
      "scheduling",
      "scope",
      "source",
      "state",
      "type",
    ]);
  });
});
