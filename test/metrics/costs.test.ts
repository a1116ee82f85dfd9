import { describe, expect, it } from "vitest";
import { costsOf } from "../../src/metrics/costs.ts";
import type { MetricName } from "../../src/metrics/catalog.ts";
import type { MetricSample } from "../../src/metrics/snapshot.ts";
import { CostsView } from "../../src/protocol/http.ts";

const MILLION = 1_000_000;
const METRICS = new Map<MetricName, readonly MetricSample[]>([
  [
    "muster_tasks_submitted",
    [
      { labels: ["a", "api"], value: MILLION },
      { labels: ["b", "webhook"], value: MILLION },
    ],
  ],
  [
    "muster_commands",
    [
      { labels: ["list_tasks", "ok"], value: MILLION },
      { labels: ["list_tasks", "refused"], value: MILLION },
      { labels: ["submit_task", "ok"], value: 5 * MILLION },
      { labels: ["report_rtts", "ok"], value: MILLION },
    ],
  ],
  ["muster_kv_writes", [{ labels: [], value: 100_000 }]],
  [
    "muster_peers",
    [
      { labels: ["active", "worker"], value: 90 },
      { labels: ["suspect", "worker"], value: 10 },
      { labels: ["stale", "worker"], value: 900 },
    ],
  ],
  ["muster_storage_used_bytes", [{ labels: [], value: 5e9 }]],
]);
const costOf = (command: string) =>
  command === "list_tasks" ? "request" : command === "submit_task" ? "in_task" : "call";
const dollarsOf = (items: readonly { readonly item: string; readonly dollars: number }[]) =>
  Object.fromEntries(items.map(({ item, dollars }) => [item, Math.round(1_000 * dollars) / 1_000]));

describe("what a mesh costs", () => {
  it("HT97 is estimated by list prices: tasks, requests, calls and writes to KV so far, peers and the database a month", () => {
    const costs = costsOf(METRICS, costOf, true);
    expect(dollarsOf(costs.so_far.items)).toEqual({
      tasks: 38.2,
      requests: 0.9,
      calls: 0.15,
      kv_writes: 0.5,
    });
    expect(costs.so_far.dollars).toBeCloseTo(39.75, 9);
    expect(dollarsOf(costs.monthly.items)).toEqual({ connected_peers: 0.7, storage_gb: 1 });
    expect(costs.monthly.dollars).toBeCloseTo(1.7, 9);
    expect(CostsView.parse(costs)).toEqual(costs);
    expect(costs.not_included.length).toBeGreaterThan(0);
  });

  it("HT97 is nothing for a mesh that has counted nothing", () => {
    const costs = costsOf(new Map(), costOf, false);
    expect([costs.billed, costs.so_far.dollars, costs.monthly.dollars]).toEqual([false, 0, 0]);
  });
});
