import { evictDurableObject, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Coordinator } from "../../durable/coordinator.ts";
import type { CellsView, EventPage, EventView, KindLoadView } from "../../src/protocol/http.ts";
import { submitTask, until } from "../durable/api.ts";
import { waitFor } from "../wait-for.ts";
import { call } from "../workers/http.ts";
import { EventStreamReader } from "../workers/event-stream-reader.ts";

const CELLS = [0, 1, 2, 3];

beforeEach(async () => {
  // Every cell has learned that it is one.
  expect((await call("GET", "/v1/cells")).status).toBe(200);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const submitMany = (count: number): Promise<readonly string[]> =>
  Promise.all(Array.from({ length: count }, async () => (await submitTask("echo", null)).id));
const tasksOf = (events: readonly EventView[]) =>
  events.map((event) => (event as EventView & { readonly task: string }).task);
const cellOf = (cell: number) =>
  env.COORDINATOR.get(
    env.COORDINATOR.idFromName(cell === 0 ? "coordinator" : `coordinator:${cell}`),
  );
const page = async (query: string) => (await call<EventPage>("GET", `/v1/events${query}`)).body;

/** Makes a cell fail every call. */
function failCell(down: number): void {
  type Execute = Coordinator["execute"];
  const execute: Execute = Reflect.get(Coordinator.prototype, "execute");
  vi.spyOn(Coordinator.prototype, "execute").mockImplementation(function (
    this: Coordinator,
    ...args: Parameters<Execute>
  ) {
    if (args[3].cell === down) return Promise.reject(new Error("injected: the cell is down"));
    return execute.apply(this, args);
  });
}

describe("the events of a mesh of four cells", () => {
  it("CE60 CE61 are one stream, with each event once, also after objects of cells have ended under it", async () => {
    const stream = await EventStreamReader.open();
    expect(stream.position.split(".")).toHaveLength(4);
    const submitted = [...(await submitMany(24))];
    const got = await stream.events(24);
    for (const cell of [1, 3]) await evictDurableObject(cellOf(cell), { webSockets: "close" });
    submitted.push(...(await submitMany(24)));
    got.push(...(await stream.events(24)));
    expect(tasksOf(got).toSorted()).toEqual(submitted.toSorted());
    // In the order of each cell: its numbers grow.
    const numbers = got.map(({ id }) => id.split("-")[0]?.split(".").map(Number) ?? []);
    for (const cell of CELLS) {
      const own = numbers.map((each) => each[cell] ?? 0);
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
    await stream.close();
    // A client that resumes at any event gets those after it.
    const resumed = await EventStreamReader.open("", { lastEventId: got[10]?.id ?? "" });
    expect(tasksOf(await resumed.events(37)).toSorted()).toEqual(tasksOf(got.slice(11)).toSorted());
    await resumed.close();
  });

  it("CE65 are pages, by time, which go on after any event", async () => {
    await page("");
    const submitted = await submitMany(30);
    const events: EventView[] = [];
    let after = "oldest";
    for (;;) {
      const read = await page(`?limit=7&after=${after}`);
      events.push(...read.events);
      after = read.events.at(-1)?.id ?? read.next;
      if (!read.more) break;
    }
    expect(tasksOf(events).toSorted()).toEqual(submitted.toSorted());
    expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted());
  });
});

describe("the figures of a mesh of four cells", () => {
  it("CE66 CE70 cover all cells", async () => {
    await submitMany(20);
    // Each new cell asks the others for its peers first.
    const cells = await until(
      async () => (await call<CellsView>("GET", "/v1/cells")).body,
      ({ changing }) => !changing,
    );
    expect(cells).toMatchObject({ wanted: 4 });
    expect(cells.cells.map(({ cell, answers }) => [cell, answers])).toEqual(
      CELLS.map((cell) => [cell, true]),
    );
    const waiting = cells.cells.map(({ figures }) => figures?.tasks.waiting ?? 0);
    expect(waiting.reduce((sum, count) => sum + count, 0)).toBe(20);
    const { text } = await call("GET", "/metrics");
    expect(text).toContain('muster_tasks_submitted_total{kind="echo",source="api"} 20\n');
    for (const cell of CELLS) expect(text).toContain(`muster_cell_up{cell="${cell}"} 1\n`);
    const { body: load } = await call<KindLoadView>("GET", "/v1/kinds/echo/load");
    expect(load).toMatchObject({ waiting: 20, load: 20 });
    expect((await call("GET", "/v1/alerts")).body).toEqual({ alerts: [] });
    expect((await call("GET", "/readyz", { token: null })).body).toEqual({ status: "ready" });
  });

  it("CE66 CE69 CE70 name a cell that does not answer", async () => {
    await submitMany(20);
    failCell(3);
    expect((await call<CellsView>("GET", "/v1/cells")).body.cells[3]).toEqual({
      cell: 3,
      state: "active",
      answers: false,
      figures: null,
    });
    const { text } = await call("GET", "/metrics");
    expect(text).toContain('muster_cell_up{cell="3"} 0\n');
    expect(text).not.toContain("_total");
    expect(text).toContain("muster_tasks_waiting");
    expect((await call("GET", "/v1/alerts")).body).toEqual({ alerts: [], missing_cells: [3] });
    expect((await page("")).missing_cells).toEqual([3]);
    await waitFor(async () =>
      expect((await call("GET", "/readyz", { token: null })).body).toEqual({
        status: "ready",
        missing_cells: [3],
      }),
    );
  });
});
