import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY, HOUR } from "../../src/base/clock.ts";
import { KIND_LABELS_MAX, OTHER } from "../../src/metrics/family.ts";
import { MetricCounters } from "../../src/registry/metric-counters.ts";
import { backupTables } from "../../src/registry/backup-tables.ts";
import { migrate } from "../../src/registry/migrate.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { nodeSql } from "../node-sql.ts";

const NOW = Date.UTC(2026, 0, 1);

function database(): Sql {
  const sql = nodeSql();
  migrate(sql);
  return sql;
}

const valueOf = (counters: MetricCounters, kind: string, source = "api"): number => {
  const samples = counters.written().get("muster_tasks_submitted") ?? [];
  const found = samples.find(({ labels }) => labels[0] === kind && labels[1] === source);
  return found !== undefined && "value" in found ? found.value : 0;
};

const submitted = (counters: MetricCounters, kind: string, now = NOW): void =>
  counters.count("muster_tasks_submitted", [counters.useKind(kind, now), "api"]);

describe("the counters of metrics", () => {
  it("MT6 have what committed, and nothing that was undone, however transactions are nested", () => {
    type Step = "count" | "begin" | "commit" | "rollback";
    const steps = fc.array(fc.constantFrom<Step>("count", "begin", "commit", "rollback"), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (history) => {
        const counters = new MetricCounters(database());
        // What each open transaction has counted, the outermost first; below them what holds.
        const open: number[] = [0];
        for (const step of history) {
          if (step === "count") {
            submitted(counters, "resize");
            open[open.length - 1] = (open.at(-1) ?? 0) + 1;
          } else if (step === "begin") {
            counters.begin();
            open.push(0);
          } else if (open.length > 1) {
            const counted = open.pop() ?? 0;
            if (step === "commit") open[open.length - 1] = (open.at(-1) ?? 0) + counted;
            if (step === "commit") counters.commit();
            else counters.rollback();
          }
        }
        while (open.length > 1) {
          counters.rollback();
          open.pop();
        }
        counters.flush();
        expect(valueOf(counters, "resize")).toBe(open[0]);
      }),
      { numRuns: 500 },
    );
  });

  it("MT7 go on after a restart, and one that was shown never goes back", () => {
    const sql = database();
    let counters = new MetricCounters(sql);
    submitted(counters, "resize");
    counters.observe("muster_task_duration_seconds", ["resize"], 2.5);
    expect(valueOf(counters, "resize")).toBe(0);
    counters.flush();
    expect(valueOf(counters, "resize")).toBe(1);
    submitted(counters, "resize");
    // What is not written is not shown, so a crash takes nothing back.
    expect(valueOf(counters, "resize")).toBe(1);
    counters = new MetricCounters(sql);
    expect(valueOf(counters, "resize")).toBe(1);
    const [duration] = counters.written().get("muster_task_duration_seconds") ?? [];
    expect(duration).toMatchObject({ labels: ["resize"], sum: 2.5 });
    submitted(counters, "resize");
    counters.flush();
    expect(valueOf(counters, "resize")).toBe(2);
  });

  it("MT7 what was written in a transaction that failed is written again", () => {
    const sql = database();
    const counters = new MetricCounters(sql);
    const inTransaction = (body: () => void): void => {
      counters.begin();
      try {
        sql.transaction(body);
        counters.commit();
      } catch {
        counters.rollback();
      }
    };
    submitted(counters, "resize");
    inTransaction(() => {
      counters.flush();
      throw new Error("no room");
    });
    expect(valueOf(counters, "resize")).toBe(0);
    expect(counters.unwritten).toBeGreaterThan(0);
    inTransaction(() => counters.flush());
    expect(valueOf(new MetricCounters(sql), "resize")).toBe(1);
  });

  it("MT7 a text of another version is read as far as it is understood, and a damaged one not at all", () => {
    const sql = database();
    const save = (saved: unknown): MetricCounters => {
      const text = typeof saved === "string" ? saved : JSON.stringify(saved);
      sql.exec(`INSERT OR REPLACE INTO metric_counters (one, saved) VALUES (1, ?)`, text);
      return new MetricCounters(sql);
    };
    const counters = save({
      kinds: { resize: 1 },
      series: [
        ["muster_tasks_submitted", ["resize", "api"], [7]],
        ["muster_tasks_submitted", ["resize", "by a later version"], [7]],
        ["muster_of_a_later_version", [], [7]],
        ["muster_task_duration_seconds", ["resize"], [1, 2, 3]],
      ],
    });
    expect(valueOf(counters, "resize")).toBe(7);
    expect([...counters.written()].map(([name, samples]) => [name, samples.length])).toEqual([
      ["muster_tasks_submitted", 1],
    ]);
    expect([...save("{").written()]).toEqual([]);
  });

  it("MT9 are in no backup", () => {
    expect(backupTables(database()).map(({ name }) => name)).not.toContain("metric_counters");
  });
});

describe("the labels of kinds", () => {
  it("MT4 are 100 at most, whatever callers invent: other kinds are counted together", () => {
    const counters = new MetricCounters(database());
    for (let n = 0; n < 1_000; n++) submitted(counters, `kind-${n}`);
    counters.flush();
    const samples = counters.written().get("muster_tasks_submitted") ?? [];
    expect(samples.length).toBe(KIND_LABELS_MAX + 1);
    expect(valueOf(counters, OTHER)).toBe(1_000 - KIND_LABELS_MAX);
    expect(valueOf(counters, "kind-0")).toBe(1);
  });

  it("MT5 stay with kinds that are used, and go from one that was not used for a day", () => {
    const sql = database();
    const counters = new MetricCounters(sql);
    for (let n = 0; n < KIND_LABELS_MAX; n++) submitted(counters, `kind-${n}`);
    for (let n = 1; n < KIND_LABELS_MAX; n++) submitted(counters, `kind-${n}`, NOW + 2 * HOUR);
    expect(counters.useKind("new", NOW + DAY - 1)).toBe(OTHER);
    expect(counters.useKind("new", NOW + DAY)).toBe("new");
    expect(counters.kindLabel("kind-0")).toBe(OTHER);
    expect(counters.useKind("newer", NOW + DAY + HOUR)).toBe(OTHER);
    counters.count("muster_tasks_submitted", ["new", "api"]);
    counters.flush();
    expect(valueOf(counters, "kind-0")).toBe(0);
    expect(valueOf(new MetricCounters(sql), "new")).toBe(1);
    expect(new MetricCounters(sql).kindLabel("new")).toBe("new");
  });

  it("MT4 a reason that the catalog does not list is counted as other", () => {
    const counters = new MetricCounters(database());
    counters.count("muster_refusals", ["gateway", "a code of a later version"]);
    counters.count("muster_refusals", ["nowhere", "unauthorized"]);
    counters.flush();
    expect(counters.written().get("muster_refusals")).toEqual([
      { labels: ["gateway", OTHER], value: 1 },
    ]);
  });
});
