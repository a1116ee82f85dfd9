import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MINUTE } from "../../src/base/clock.ts";
import { DEFAULT_THRESHOLDS } from "../../src/alerts/thresholds.ts";
import { COORDINATOR_FAMILIES } from "../../src/metrics/coordinator-families.ts";
import { METRIC_NAMES } from "../../src/metrics/catalog.ts";
import { KIND_LABELS_MAX } from "../../src/metrics/family.ts";
import { mergeSnapshots, withoutTotals } from "../../src/metrics/merge-snapshots.ts";
import type { MetricSnapshot, NumberSample } from "../../src/metrics/snapshot.ts";
import { EventPage, type EventView } from "../../src/protocol/http.ts";
import type { CellState } from "../../src/cells/topology.ts";
import { mergedCells } from "../../src/routing/merged-cells.ts";
import { mergedPage } from "../../src/routing/merged-events.ts";
import { must, mustFail, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { submission } from "../coordinator/submission.ts";

const FILTER = { types: [], kind: null, owner: null, peer: null, tasks: [], visibleTo: null };

const submit = async (mesh: CellMesh, kind = "echo") =>
  must(await mesh.call("enqueue_task", submission({ kind }))).id;

/** A mesh whose cells know each other. */
async function meshOf(cells: number, config = {}): Promise<CellMesh> {
  const mesh = new CellMesh({ cells, config });
  await mesh.call("list_cells", {});
  await mesh.settle(3);
  return mesh;
}

const valueOf = (metrics: MetricSnapshot, name: Parameters<MetricSnapshot["get"]>[0]) =>
  (metrics.get(name) ?? []).reduce(
    (sum, sample) => sum + ("value" in sample ? sample.value : 0),
    0,
  );

describe("the log of several cells", () => {
  const page = async (mesh: CellMesh, after: string | null, limit = 100) =>
    EventPage.parse(must(await mesh.call("list_events", { filter: FILTER, after, limit })));
  const taskOf = (event: EventView) => (event as EventView & { readonly task: string }).task;

  test("CE65 is read page by page, each event once and in its cell's order, from any event on, also while cells are away", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            tasks: fc.nat(6),
            limit: fc.integer({ min: 1, max: 7 }),
            down: fc.subarray([0, 1, 2, 3], { maxLength: 3 }),
            resumeAt: fc.nat(6),
          }),
          { minLength: 3, maxLength: 15 },
        ),
        async (rounds) => {
          const mesh = await meshOf(4);
          await page(mesh, null);
          const submitted: string[] = [];
          const got: string[] = [];
          let after: string | null = null;
          const read = async (limit: number, resumeAt = Infinity) => {
            const { events, next, gap } = await page(mesh, after, limit);
            expect(gap).toBeNull();
            // The reader may stop at any event, and goes on after it.
            const taken = events.slice(0, resumeAt + 1);
            got.push(...taken.map(taskOf));
            after = taken.length < events.length ? (taken.at(-1)?.id ?? after) : next;
            return events.length;
          };
          for (const { tasks, limit, down, resumeAt } of rounds) {
            mesh.now += 5;
            for (let n = 0; n < tasks; n++) submitted.push(await submit(mesh));
            for (const cell of down) mesh.transport.down.add(cell);
            await read(limit, resumeAt);
            mesh.transport.down.clear();
          }
          while ((await read(50)) > 0);
          expect(got.toSorted()).toEqual(submitted.toSorted());
          expect(got.filter((id, at) => got.indexOf(id) !== at)).toEqual([]);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("CE65 has the events of all cells by time, and names the cells that do not answer", async () => {
    const mesh = await meshOf(4);
    await page(mesh, null);
    for (let n = 0; n < 40; n++) {
      mesh.now += 1;
      await submit(mesh);
    }
    const all = await page(mesh, null);
    expect(all.events.map(({ at }) => at)).toEqual(all.events.map(({ at }) => at).toSorted());
    expect(all.events).toHaveLength(40);
    expect([all.more, all.missing_cells]).toEqual([false, undefined]);
    mesh.transport.down.add(2);
    const part = await page(mesh, null);
    expect(part.missing_cells).toEqual([2]);
    expect(part.events.length).toBeLessThan(40);
    mesh.transport.down.clear();
    const rest = await page(mesh, part.next);
    expect(rest.events.length + part.events.length).toBe(40);
    for (const cell of [0, 1, 2, 3]) mesh.transport.down.add(cell);
    const unanswered = await mesh.call("list_events", { filter: FILTER, after: null, limit: 5 });
    expect(mustFail(unanswered).code).toBe("unavailable");
  });

  test("CE65 a cell with more than one page can show is not passed by the others", () => {
    const event = (cell: number, at: number) =>
      ({ id: `${at}-0badcafe`, at: new Date(at).toISOString(), type: `of ${cell}` }) as never;
    const of = (cell: number, times: readonly number[], more: boolean, next: number) => ({
      cell,
      value: {
        events: times.map((at) => event(cell, at)),
        gap: null,
        next: `${next}-0badcafe`,
        more,
      },
    });
    const gathered = { answers: [of(0, [], true, 50), of(1, [40, 60], false, 70)], missing: [] };
    const first = mergedPage({ after: "1.2-0badcafe", limit: 10 }, gathered);
    expect(first).toEqual({ events: [], gap: null, next: "50.2-0badcafe", more: true });
    const later = { answers: [of(0, [55], false, 80), of(1, [40, 60], false, 70)], missing: [] };
    const second = mergedPage({ after: first.next, limit: 10 }, later);
    expect(second.events.map(({ id }) => id)).toEqual([
      "50.40-0badcafe",
      "55.40-0badcafe",
      "55.60-0badcafe",
    ]);
    expect([second.next, second.more]).toEqual(["80.70-0badcafe", false]);
  });

  test("CE62 a mesh that grows keeps the events of its new cells for those who followed it before", async () => {
    const mesh = new CellMesh({ cells: 1 });
    const before = await page(mesh, null);
    expect(before.next).toMatch(/^\d+-[0-9a-f]{8}$/);
    mesh.setCells(4);
    await mesh.settle(3);
    const ids = await Promise.all(Array.from({ length: 30 }, () => submit(mesh)));
    const after = await page(mesh, before.next);
    expect(after.gap).toBeNull();
    expect(after.events.map(taskOf).toSorted()).toEqual(ids.toSorted());
  });
});

describe("the figures of several cells", () => {
  test("CE66 sum what all cells count, and lack no totals while all answer", async () => {
    const mesh = await meshOf(4);
    for (let n = 0; n < 30; n++) await submit(mesh, "resize");
    const { metrics, missing } = must(await mesh.call("collect_metrics", {}));
    expect(missing).toEqual([]);
    expect(valueOf(metrics, "muster_tasks_submitted")).toBe(30);
    expect(valueOf(metrics, "muster_tasks_waiting")).toBe(30);
    expect(valueOf(metrics, "muster_cell_up")).toBe(4);
    expect(valueOf(metrics, "muster_auth_mode")).toBe(1);
    expect(metrics.get("muster_storage_limit_bytes")).toEqual([
      { labels: [], value: 4 * mesh.config.storage.limit },
    ]);
    expect(must(await mesh.call("kind_load", { kind: "resize" }))).toMatchObject({
      kind: "resize",
      waiting: 30,
      load: 30,
    });
  });

  test("CE66 say which cells do not answer, and what only grows is left out then", async () => {
    const mesh = await meshOf(4);
    for (let n = 0; n < 30; n++) await submit(mesh);
    mesh.transport.down.add(3);
    const { metrics, missing = [] } = must(await mesh.call("read_metrics", {}));
    expect(missing).toEqual([3]);
    expect(metrics.get("muster_cell_up")).toEqual(
      [1, 1, 1, 0].map((value, cell) => ({ labels: [String(cell)], value })),
    );
    const shown = withoutTotals(metrics);
    expect([...shown.keys()].some((name) => name === "muster_tasks_submitted")).toBe(false);
    expect(shown.has("muster_tasks_waiting")).toBe(true);
    expect(must(await mesh.call("kind_load", { kind: "echo" })).missing_cells).toEqual([3]);
  });

  test("CE66 a mesh of one cell shows no metric of cells", async () => {
    const mesh = new CellMesh({ cells: 1 });
    const [answer] = await mesh.cellOf(0).run("admin", [{ name: "collect_metrics", input: {} }]);
    const { metrics } = must(present(answer) as never) as { metrics: MetricSnapshot };
    expect(metrics.get("muster_cell_up")).toEqual([]);
  });

  const sample = (value: number, ...labels: readonly string[]): NumberSample => ({ labels, value });
  const merged = (...snapshots: readonly MetricSnapshot[]) =>
    mergeSnapshots(
      snapshots.map((snapshot, cell) => ({ cell, snapshot })),
      [],
    );

  test("CE66 histograms are summed bucket by bucket, waits are the longest, starts the last", () => {
    const of = (wait: number, bucket: number): MetricSnapshot =>
      new Map<never, never>([
        ["muster_tasks_waiting", [sample(2, "echo")]],
        ["muster_tasks_oldest_wait_seconds", [sample(wait, "echo")]],
        ["muster_coordinator_start_time_seconds", [sample(wait)]],
        [
          "muster_command_duration_seconds",
          [{ labels: ["read"], buckets: [bucket, 1, 0], sum: bucket }],
        ],
      ] as never);
    const metrics = merged(of(5, 1), of(9, 2), of(3, 4));
    expect(metrics.get("muster_tasks_oldest_wait_seconds")).toEqual([sample(9, "echo")]);
    expect(metrics.get("muster_coordinator_start_time_seconds")).toEqual([sample(9)]);
    expect(metrics.get("muster_tasks_waiting")).toEqual([sample(6, "echo")]);
    expect(metrics.get("muster_command_duration_seconds")).toEqual([
      { labels: ["read"], buckets: [7, 3, 0], sum: 7 },
    ]);
  });

  test("CE67 the mesh has as many labels for kinds as one cell, and counts the others together", () => {
    const of = (cell: number): MetricSnapshot =>
      new Map([
        [
          "muster_tasks_waiting",
          [
            ...Array.from({ length: KIND_LABELS_MAX }, (_, n) =>
              sample(1, `kind-${cell * 60 + n}`),
            ),
            sample(0, "_other"),
          ],
        ],
      ]) as MetricSnapshot;
    const waiting = (merged(of(0), of(1)).get("muster_tasks_waiting") ?? []) as NumberSample[];
    expect(waiting).toHaveLength(KIND_LABELS_MAX + 1);
    expect(waiting.reduce((sum, { value }) => sum + value, 0)).toBe(2 * KIND_LABELS_MAX);
    expect(waiting.find(({ labels }) => labels[0] === "_other")?.value).toBe(60);
  });

  test("CE66 the merged metrics have the families of the catalog in its order", () => {
    expect([...merged(new Map()).keys()]).toEqual(METRIC_NAMES);
    expect(COORDINATOR_FAMILIES.muster_cell_up.type).toBe("gauge");
  });
});

describe("alerts of several cells", () => {
  test("CE68 what is about no peer has a key and a message of each cell, in the list and in the events", async () => {
    const mesh = await meshOf(4, { alerts: DEFAULT_THRESHOLDS });
    await mesh.call("list_events", { filter: FILTER, after: null, limit: 1 });
    for (let n = 0; n < 40; n++) await submit(mesh);
    mesh.now += (DEFAULT_THRESHOLDS.queueOld ?? 0) + MINUTE;
    for (const cell of mesh.cells) {
      // What is due is looked for when the alarm is set.
      cell.nextTick();
      await cell.tick();
    }
    const { alerts } = must(await mesh.call("list_alerts", {}));
    const keys = ["queue_old:echo", ...[1, 2, 3].map((cell) => `queue_old:echo:cell:${cell}`)];
    expect(alerts.map(({ key }) => key)).toEqual(keys);
    expect(alerts.map(({ message }) => /\(cell \d\)$/.exec(message)?.[0])).toEqual(
      [0, 1, 2, 3].map((cell) => `(cell ${cell})`),
    );
    const filter = { ...FILTER, types: ["alert."] };
    const told = must(await mesh.call("list_events", { filter, after: null, limit: 100 }));
    const tellKey = told.events.map((event) => ("key" in event ? event.key : ""));
    expect(tellKey.toSorted()).toEqual(keys.toSorted());
    mesh.transport.down.add(1);
    const part = must(await mesh.call("list_alerts", {}));
    expect([part.alerts.length, part.missing_cells]).toEqual([3, [1]]);
  });
});

describe("the cells as operators see them", () => {
  test("CE70 each cell says what it has, and one that does not answer is shown without figures", async () => {
    const mesh = await meshOf(3);
    for (let n = 0; n < 24; n++) await submit(mesh);
    const all = must(await mesh.call("list_cells", {}));
    expect(all).toMatchObject({ wanted: 3, topology_version: 1, changing: false });
    expect(all.cells.map(({ cell, state, answers }) => [cell, state, answers])).toEqual(
      [0, 1, 2].map((cell) => [cell, "active", true]),
    );
    const waiting = all.cells.map(({ figures }) => figures?.tasks.waiting ?? 0);
    expect(waiting.reduce((sum, count) => sum + count, 0)).toBe(24);
    mesh.transport.down.add(1);
    const part = must(await mesh.call("list_cells", {}));
    expect(part.cells[1]).toEqual({ cell: 1, state: "active", answers: false, figures: null });
    expect(part.changing).toBe(false);
  });

  test("CE70 a number of cells that is wanted and is not there yet is a change in progress", async () => {
    const mesh = await meshOf(3);
    mesh.setCells(2);
    expect(must(await mesh.call("list_cells", {}))).toMatchObject({ wanted: 2, changing: true });
  });

  test.each([
    ["a cell that drains", { state: "draining" }, true],
    ["a cell that knows an older topology", { version: 1 }, true],
    ["peers that are still in another cell", { from: 1 }, true],
    ["a removed cell", { state: "removed" }, false],
    ["nothing left to do", {}, false],
  ] as const)("CE70 with %s a change is in progress or not", (_, what, changing) => {
    const { state, version, from } = {
      state: "active",
      version: 2,
      from: 0,
      ...what,
    };
    const figures = {
      topology_version: version,
      peers: { connected: 0, known: 0 },
      tasks: { waiting: 0, running: 0 },
      database: { used_bytes: 0, limit_bytes: 1 },
      messages: 0,
      moving: { cells: from, peers: 0 },
    };
    const cell = { cell: 0, state: "active", answers: true, figures } as const;
    const view = { wanted: 1, topology_version: 2, changing: false, cells: [cell] };
    const cells = ["active", state] as readonly CellState[];
    const wanted = state === "active" ? 2 : 1;
    const gathered = { answers: [{ cell: 0, value: { ...view, wanted } }], missing: [] };
    const shown = mergedCells(gathered, { topology: { version: 2, cells, earlier: [] } });
    expect(shown.changing).toBe(changing);
    expect(shown.cells.map((each) => each.state)).toEqual(cells);
  });

  test("CE69 the mesh is ready while a cell answers, and says which do not", async () => {
    const mesh = await meshOf(3);
    expect(must(await mesh.call("check_ready", {}))).toEqual({});
    mesh.transport.down.add(0);
    mesh.transport.down.add(2);
    expect(must(await mesh.call("check_ready", {}))).toEqual({ missing_cells: [0, 2] });
    mesh.transport.down.add(1);
    expect(mustFail(await mesh.call("check_ready", {})).code).toBe("unavailable");
  });
});
