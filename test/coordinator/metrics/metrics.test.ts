import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import type { MetricName } from "../../../src/metrics/catalog.ts";
import { familyOf, METRIC_NAMES, SERIES_MAX } from "../../../src/metrics/catalog.ts";
import type { MetricSnapshot } from "../../../src/metrics/snapshot.ts";
import { metricsText } from "../../../src/metrics/text.ts";
import { parseMetrics } from "../../metrics/parse-metrics.ts";
import { KEYS, submission, TestMesh } from "../mesh.ts";
import { HistoryRunner } from "../history-runner.ts";
import { anyHistory } from "../operations.ts";

const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);
const [FIRST, SECOND_KEY] = KEYS;

const collect = (mesh: TestMesh): MetricSnapshot => mesh.run("collect_metrics", {}).metrics;

/** The value of one sample, or the number of values of one histogram. */
function valueOf(snapshot: MetricSnapshot, name: MetricName, ...labels: string[]): number {
  const found = snapshot.get(name)?.find((sample) => sample.labels.join(" ") === labels.join(" "));
  if (found === undefined) return 0;
  return "value" in found ? found.value : found.buckets.reduce((sum, each) => sum + each, 0);
}

const total = (snapshot: MetricSnapshot, name: MetricName, label: string): number =>
  (snapshot.get(name) ?? [])
    .filter(({ labels }) => labels.includes(label))
    .reduce((sum, sample) => sum + ("value" in sample ? sample.value : 0), 0);

const count = (mesh: TestMesh, query: string): number =>
  Number(mesh.rows(`SELECT COUNT(*) AS n FROM ${query}`)[0]?.["n"]);

describe("the metrics of random histories", () => {
  it(
    "MT10 are those of the tables after every step, and count each event that was committed once",
    { timeout: 300_000 * Math.max(1, SCALE) },
    () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 1e9 }), anyHistory(30), (seed, operations) => {
          const history = new HistoryRunner(seed);
          const { mesh } = history;
          const events = new Map<string, number>();
          let last: number | null = null;
          let before = collect(mesh);
          // A crash takes with it what was neither shown nor written: what is counted begins there.
          let [registry, base] = [mesh.registry, before];
          for (const operation of operations) {
            mesh.registry.events.follow(mesh.now);
            history.stepWithoutComparing(operation);
            const page = mesh.registry.events.read(last, 10_000);
            for (const { id, event } of page.events) {
              last = id;
              const key = "previous" in event && event.previous === null ? "new " : "";
              events.set(key + event.type, (events.get(key + event.type) ?? 0) + 1);
            }
            const now = collect(mesh);
            expectMonotonic(before, now);
            expectTables(mesh, now);
            before = now;
            if (registry !== mesh.registry) {
              [registry, base] = [mesh.registry, now];
              events.clear();
            }
            const counted = (name: MetricName, label: string): number =>
              total(now, name, label) - total(base, name, label);
            for (const state of ["succeeded", "failed", "cancelled", "expired"])
              expect(counted("muster_tasks_ended", state)).toBe(events.get(`task.${state}`) ?? 0);
            expect(
              counted("muster_tasks_submitted", "api") + counted("muster_tasks_submitted", "peer"),
            ).toBe(events.get("new task.queued") ?? 0);
            expect(counted("muster_attempts_ended", "succeeded")).toBe(
              events.get("task.succeeded") ?? 0,
            );
          }
        }),
        { numRuns: Math.ceil(100 * SCALE) },
      );
    },
  );
});

function expectMonotonic(before: MetricSnapshot, now: MetricSnapshot): void {
  for (const name of METRIC_NAMES) {
    if (!["counter", "histogram"].includes(familyOf(name).type)) continue;
    for (const { labels } of before.get(name) ?? [])
      expect(valueOf(now, name, ...labels)).toBeGreaterThanOrEqual(
        valueOf(before, name, ...labels),
      );
  }
}

function expectTables(mesh: TestMesh, now: MetricSnapshot): void {
  const sum = (name: MetricName): number =>
    (now.get(name) ?? []).reduce((all, each) => all + ("value" in each ? each.value : 0), 0);
  expect(sum("muster_peers")).toBe(count(mesh, "peers"));
  expect(valueOf(now, "muster_peers", "active", "worker")).toBe(
    count(mesh, "peers WHERE state = 'active' AND role = 'worker'"),
  );
  expect(sum("muster_tasks_waiting") + sum("muster_tasks_scheduled")).toBe(
    count(mesh, "tasks WHERE state = 'queued'"),
  );
  expect(sum("muster_tasks_running")).toBe(count(mesh, "tasks WHERE lease_until IS NOT NULL"));
  const leases = (where: string): number =>
    count(mesh, `tasks WHERE lease_until IS NOT NULL AND ${where}`);
  expect(valueOf(now, "muster_leases", "running")).toBe(leases("state = 'running'"));
  expect(valueOf(now, "muster_leases", "prefetched")).toBe(
    leases("state = 'leased' AND prefetched = 1"),
  );
  expect(valueOf(now, "muster_leases", "offered")).toBe(
    leases("state = 'leased' AND prefetched = 0"),
  );
  expect(sum("muster_outbox_entries")).toBe(count(mesh, "outbox"));
  expect(
    valueOf(now, "muster_circuits_open", "peer") + valueOf(now, "muster_circuits_open", "kind"),
  ).toBe(count(mesh, "circuits WHERE rests_until IS NOT NULL"));
}

describe("the metrics of a mesh", () => {
  it("MT10 have waiting, scheduled and running tasks by kind, and how long they took", () => {
    const mesh = new TestMesh();
    mesh.submit({ kind: "resize" });
    const later = new Date(mesh.now + HOUR).toISOString();
    mesh.submit({ kind: "resize", not_before: later });
    mesh.advanceClock(30 * SECOND);
    const waiting = collect(mesh);
    expect(valueOf(waiting, "muster_tasks_waiting", "resize")).toBe(1);
    expect(valueOf(waiting, "muster_tasks_scheduled", "resize")).toBe(1);
    expect(valueOf(waiting, "muster_tasks_oldest_wait_seconds", "resize")).toBe(30);
    const worker = mesh.join(FIRST, { kinds: ["resize"], slots: 1, rttMs: 20 });
    worker.accept();
    mesh.advanceClock(5 * SECOND);
    worker.finish();
    mesh.registry.measurements.flush();
    const done = collect(mesh);
    expect(valueOf(done, "muster_tasks_waiting", "resize")).toBe(0);
    expect(done.get("muster_task_assignment_delay_seconds")).toMatchObject([
      { labels: ["resize"], sum: 30 },
    ]);
    expect(done.get("muster_task_duration_seconds")).toMatchObject([
      { labels: ["resize"], sum: 35 },
    ]);
    expect(valueOf(done, "muster_attempts_ended", "resize", "succeeded")).toBe(1);
    expect(valueOf(done, "muster_peers", "active", "worker")).toBe(1);
    expect(valueOf(done, "muster_peer_slots")).toBe(1);
    expect(done.get("muster_peer_rtt_seconds")).toMatchObject([
      { buckets: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], sum: 0.02 },
    ]);
    expect(valueOf(done, "muster_peer_score")).toBe(1);
    expect(valueOf(done, "muster_sessions_begun", "go-p2p/1.0")).toBe(1);
  });

  it("MT6 a refused command counts as refused, with its reason, and as nothing else", () => {
    const mesh = new TestMesh({ config: { authMode: "allowlist" } });
    const before = collect(mesh);
    const input = submission({ kind: "resize", payload: "x".repeat(300_000) });
    expect(mesh.errorOf("submit_task", input).code).toBe("payload_too_large");
    mesh.run("submit_batch", { ...input, tasks: [input.task, submission({ kind: "ok" }).task] });
    const peer = new TestMesh().join(FIRST);
    mesh.errorOf("admit", peer.admitInput());
    mesh.errorOf("cancel_task", { id: "none", visibleTo: null });
    const after = collect(mesh);
    expect(valueOf(after, "muster_refusals", "submission", "payload_too_large")).toBe(2);
    expect(valueOf(after, "muster_refusals", "admission", "not_allowed")).toBe(1);
    expect(valueOf(after, "muster_refusals", "command", "not_found")).toBe(1);
    expect(valueOf(after, "muster_commands", "cancel_task", "refused")).toBe(1);
    expect(valueOf(after, "muster_commands", "submit_batch", "ok")).toBe(1);
    expect(total(after, "muster_tasks_submitted", "resize")).toBe(0);
    expect(total(after, "muster_tasks_submitted", "ok")).toBe(1);
    expect(total(before, "muster_commands", "refused")).toBe(0);
  });

  it("MT7 a restart that loses memory takes back nothing that was shown", () => {
    const mesh = new TestMesh();
    for (let n = 0; n < 5; n++) mesh.submit({ kind: "resize" });
    const shown = collect(mesh);
    mesh.submit({ kind: "resize" });
    mesh.restart();
    const again = collect(mesh);
    expect(valueOf(shown, "muster_tasks_submitted", "resize", "api")).toBe(5);
    expect(valueOf(again, "muster_tasks_submitted", "resize", "api")).toBe(5);
    expectMonotonic(shown, again);
  });

  it("MT7 what no scrape has shown is written with the measurements", () => {
    const mesh = new TestMesh();
    mesh.submit({ kind: "resize" });
    expect(mesh.registry.measurements.arePending()).toBe(true);
    mesh.registry.measurements.flush();
    mesh.restart();
    expect(valueOf(collect(mesh), "muster_tasks_submitted", "resize", "api")).toBe(1);
  });

  it("MT7 to count reads causes no write of its own", () => {
    const mesh = new TestMesh();
    mesh.registry.measurements.flush();
    for (let n = 0; n < 10; n++) mesh.read("list_peers", { limit: 10 });
    expect(mesh.registry.measurements.arePending()).toBe(false);
    expect(valueOf(collect(mesh), "muster_commands", "list_peers", "ok")).toBe(10);
  });

  it("MT8 can be read without a write: the counters are those that were written last", () => {
    const mesh = new TestMesh();
    mesh.submit({ kind: "resize" });
    collect(mesh);
    mesh.submit({ kind: "resize" });
    const before = mesh.rows("SELECT saved FROM metric_counters");
    const read = mesh.read("read_metrics", {});
    if (!read.ok) throw new Error(read.error.detail);
    expect(valueOf(read.value.metrics, "muster_tasks_submitted", "resize", "api")).toBe(1);
    expect(valueOf(read.value.metrics, "muster_tasks_waiting", "resize")).toBe(2);
    expect(mesh.rows("SELECT saved FROM metric_counters")).toEqual(before);
  });

  it("MT4 stay within their bounds whatever kinds callers invent, and name none of the callers", () => {
    const mesh = new TestMesh();
    mesh.join(FIRST, { name: "a secret name" });
    const worker = mesh.join(SECOND_KEY, { kinds: ["*"], slots: 8 });
    for (let n = 0; n < 300; n++) mesh.submit({ kind: `hostile-${n}` });
    worker.accept();
    worker.fail("a secret reason", false);
    const text = metricsText(collect(mesh), "openmetrics");
    const families = parseMetrics(text, "openmetrics");
    for (const { samples } of families) expect(samples.length).toBeLessThanOrEqual(SERIES_MAX);
    for (const secret of [
      "a secret name",
      FIRST.id,
      FIRST.publicKey,
      "admin",
      "192.0.2",
      "a secret reason",
    ])
      expect(text).not.toContain(secret);
    const waiting = families.find(({ name }) => name === "muster_tasks_waiting");
    expect(waiting?.samples.length).toBe(101);
    expect(waiting?.samples.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThan(280);
  });

  it("MT12 has what the gateway has refused, by place and reason", () => {
    const mesh = new TestMesh();
    mesh.run("count_refusals", {
      counts: [
        ["gateway", "unauthorized", 40],
        ["handshake", "proof_failed", 2],
      ],
    });
    const found = collect(mesh);
    expect(valueOf(found, "muster_refusals", "gateway", "unauthorized")).toBe(40);
    expect(valueOf(found, "muster_refusals", "handshake", "proof_failed")).toBe(2);
  });

  it("MT15 the load of a kind counts its waiting and running tasks of all owners", () => {
    const mesh = new TestMesh();
    const load = (kind: string) => {
      const read = mesh.read("kind_load", { kind });
      if (!read.ok) throw new Error(read.error.detail);
      return read.value;
    };
    const none = { waiting: 0, scheduled: 0, running: 0, load: 0, oldest_wait_seconds: 0 };
    expect(load("resize")).toEqual({ kind: "resize", ...none });
    mesh.join(FIRST, { kinds: ["resize"], slots: 1 }).earn(1);
    mesh.submit({ kind: "other" });
    mesh.submit({ kind: "resize" });
    mesh.run("submit_task", submission({ kind: "resize" }, { owner: "somebody" }));
    mesh.submit({ kind: "resize", requirements: { capabilities: ["gpu"] } });
    mesh.submit({ kind: "resize", not_before: new Date(mesh.now + HOUR).toISOString() });
    mesh.advanceClock(MINUTE);
    expect(load("resize")).toEqual({
      kind: "resize",
      waiting: 2,
      scheduled: 1,
      running: 1,
      load: 3,
      oldest_wait_seconds: 60,
    });
  });
});
