import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_THRESHOLDS } from "../../src/alerts/thresholds.ts";
import { MINUTE, SECOND } from "../../src/base/clock.ts";
import { watchedCells } from "../../src/cells/watched-cells.ts";
import type { CellState } from "../../src/cells/topology.ts";
import { must } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";

/** A mesh whose cells know each other and have looked at each other once. */
async function meshOf(cells: number, alerts = {}): Promise<CellMesh> {
  const mesh = new CellMesh({ cells, config: { alerts: { ...DEFAULT_THRESHOLDS, ...alerts } } });
  await mesh.call("list_cells", {});
  await mesh.settle(3);
  await runFor(mesh, MINUTE);
  return mesh;
}

/** Lets time pass: the alarm of each cell that runs rings when it is due, and at least every 5 s. */
async function runFor(mesh: CellMesh, time: number): Promise<void> {
  for (let passed = 0; passed < time; passed += 5 * SECOND) {
    mesh.now += 5 * SECOND;
    for (const cell of mesh.cells) {
      const due = mesh.transport.down.has(cell.number) ? null : cell.nextTick();
      if (due !== null && due <= mesh.now) await cell.tick();
    }
    await mesh.drain();
  }
}

const alertsOf = async (mesh: CellMesh) => must(await mesh.call("list_alerts", {})).alerts;
const keysOf = async (mesh: CellMesh) => (await alertsOf(mesh)).map(({ key }) => key);
/** What every cell says, also those that callers do not reach. */
const firingIn = (mesh: CellMesh) =>
  mesh.cells.flatMap(({ number, registry }) =>
    registry.alerts.list().map(({ key }) => `${number} says ${key}`),
  );
const looks = (mesh: CellMesh) => mesh.transport.calls.get("get_topology") ?? 0;

describe("the cells that a cell watches", () => {
  const topologyOf = (cells: readonly CellState[]) => ({ version: 1, cells, earlier: [] });

  test("CE160 each cell that does not answer is watched by exactly one that does", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<CellState>("active", "draining", "removed"), { maxLength: 63 }),
        fc.array(fc.nat(63), { maxLength: 64 }),
        (others, silent) => {
          const topology = topologyOf(["active", ...others]);
          const live = topology.cells.flatMap((state, cell) => (state === "removed" ? [] : [cell]));
          const isSilent = (cell: number) => silent.includes(cell);
          const answering = live.filter((cell) => !isSilent(cell));
          fc.pre(answering.length > 0);
          const watched = answering.flatMap((own) => {
            const found = watchedCells(topology, own, isSilent);
            expect(found).not.toContain(own);
            return found;
          });
          const expected = answering.length === 1 ? live.filter(isSilent) : live;
          expect(watched.toSorted((a, b) => a - b)).toEqual(expected);
        },
      ),
    );
  });

  test("CE160 a cell looks at the one before it, and further back over those that do not answer", () => {
    const topology = topologyOf(["active", "active", "removed", "active", "draining"]);
    const watched = (own: number, ...silent: number[]) =>
      watchedCells(topology, own, (cell) => silent.includes(cell));
    expect([0, 1, 3, 4].map((own) => watched(own))).toEqual([[4], [0], [1], [3]]);
    expect(watched(1, 0)).toEqual([0, 4]);
    expect(watched(3, 0, 1, 4)).toEqual([1, 0, 4]);
  });
});

describe("a cell that does not answer", () => {
  test.each([0, 1, 3])(
    "CE161 is an alert of the next cell after two minutes, and no longer once it has answered for two (cell %i)",
    async (down) => {
      const mesh = await meshOf(4);
      mesh.transport.down.add(down);
      await runFor(mesh, 2 * MINUTE - 15 * SECOND);
      expect(await keysOf(mesh)).toEqual([]);
      await runFor(mesh, 2 * MINUTE);
      const next = (down + 1) % 4;
      const key = `cell_down:${down}${next === 0 ? "" : `:cell:${next}`}`;
      const [alert, ...others] = await alertsOf(mesh);
      expect(others).toEqual([]);
      expect(alert).toMatchObject({ alert: "cell_down", key, cell: down, peer: null, kind: null });
      expect(alert?.message).toContain(`cell ${down} has not answered for`);
      expect(alert?.threshold).toBe(120);
      await runFor(mesh, 10 * MINUTE);
      expect(await keysOf(mesh)).toEqual([key]);
      mesh.transport.down.clear();
      await runFor(mesh, 4 * MINUTE);
      expect(firingIn(mesh)).toEqual([]);
    },
  );

  test("CE161 whichever cells do not answer, each has one alert, and their events say the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.subarray([0, 1, 2, 3, 4], { minLength: 1, maxLength: 4 }),
        fc.subarray([0, 1, 2, 3, 4]),
        async (down, crashed) => {
          const mesh = await meshOf(5);
          for (const cell of down) mesh.transport.down.add(cell);
          await runFor(mesh, 90 * SECOND);
          for (const cell of crashed) mesh.cellOf(cell).crash();
          await runFor(mesh, 4 * MINUTE);
          const about = (await alertsOf(mesh)).map(({ alert, cell }) => `${alert} ${cell}`);
          expect(about.toSorted()).toEqual(down.map((cell) => `cell_down ${cell}`));
          mesh.transport.down.clear();
          await runFor(mesh, 5 * MINUTE);
          expect(firingIn(mesh)).toEqual([]);
        },
      ),
      { numRuns: 12 },
    );
  });

  test("CE161 goes on as one alert while the cell that says it sleeps and wakes", async () => {
    const mesh = await meshOf(3, { resolveAfter: 0 });
    mesh.transport.down.add(1);
    await runFor(mesh, 4 * MINUTE);
    const [first] = await alertsOf(mesh);
    for (let wakes = 0; wakes < 3; wakes++) {
      mesh.cellOf(2).crash();
      await runFor(mesh, 2 * MINUTE);
    }
    expect(await alertsOf(mesh)).toEqual([first]);
  });

  test("CE161 ends at once when the cell is removed", async () => {
    const mesh = await meshOf(3);
    mesh.transport.down.add(2);
    await runFor(mesh, 4 * MINUTE);
    expect(await keysOf(mesh)).toEqual(["cell_down:2"]);
    mesh.setCells(2);
    await mesh.cellOf(0).tick();
    const { topology } = mesh.cellOf(0).registry.cells;
    const cells = ["active", "active", "removed"] as const;
    const input = { own: 0, topology: { ...topology, version: topology.version + 1, cells } };
    await mesh.cellOf(0).run("mesh", [{ name: "learn_topology", input }]);
    await runFor(mesh, 90 * SECOND);
    expect(firingIn(mesh)).toEqual([]);
  });

  test("CE162 a mesh of one cell looks at none, and one without these alerts neither", async () => {
    for (const [cells, alerts] of [
      [1, {}],
      [3, { cellDown: null, cellMessages: null }],
    ] as const) {
      const mesh = await meshOf(cells, alerts);
      const before = looks(mesh);
      mesh.transport.down.add(cells - 1);
      await runFor(mesh, 10 * MINUTE);
      expect(looks(mesh)).toBe(before);
      mesh.transport.down.clear();
      expect(await keysOf(mesh)).toEqual([]);
    }
  });

  test("CE162 each cell looks once a minute, and writes nothing while all answer", async () => {
    const mesh = await meshOf(4);
    const before = looks(mesh);
    const notes = mesh.cells.map((cell) => cell.registry.silentCells.all().size);
    await runFor(mesh, 10 * MINUTE);
    expect(looks(mesh) - before).toBe(40);
    expect(notes).toEqual([0, 0, 0, 0]);
    expect(mesh.transport.calls.get("note_cells")).toBeUndefined();
  });
});

describe("messages that wait for a cell", () => {
  /** Cell 1 answers, and takes no messages. */
  const block = (mesh: CellMesh) => {
    mesh.transport.faultOf = (to, names) =>
      to === 1 && names.includes("receive_messages") ? "request_lost" : "none";
  };
  const sendTo = (mesh: CellMesh, cell: number) =>
    mesh.call("create_token", { label: `for ${cell}`, scope: "viewer" });

  test("CE163 are an alert of the cell that has them, with their number, the link and the first one, until they are taken", async () => {
    const mesh = await meshOf(3);
    block(mesh);
    await sendTo(mesh, 1);
    await sendTo(mesh, 1);
    await runFor(mesh, 9 * MINUTE);
    expect(await keysOf(mesh)).toEqual([]);
    await runFor(mesh, 2 * MINUTE);
    const [alert, ...others] = await alertsOf(mesh);
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ alert: "cell_messages", key: "cell_messages:1", cell: 1 });
    expect(alert?.message).toMatch(
      /^2 messages for cell 1 not taken for 10 minutes; the first one \(facts\) holds up the others/,
    );
    mesh.transport.faultOf = () => "none";
    await runFor(mesh, 6 * MINUTE);
    expect(firingIn(mesh)).toEqual([]);
  });

  test("CE163 for a cell that does not answer at all are no alert of each cell, unless that alert is off", async () => {
    for (const [alerts, expected] of [
      [{}, ["cell_down:1:cell:2"]],
      [{ cellDown: null }, ["cell_messages:1"]],
    ] as const) {
      const mesh = await meshOf(3, alerts);
      mesh.transport.down.add(1);
      await sendTo(mesh, 1);
      await runFor(mesh, 15 * MINUTE);
      expect(await keysOf(mesh)).toEqual(expected);
    }
  });

  test("CE164 one that can't be taken holds up those that follow, and none before it", async () => {
    const mesh = await meshOf(3);
    const { registry } = mesh.cellOf(0);
    const before = mesh.cellOf(1).registry.cellMessages.received(0);
    const good = { type: "dials", any: true };
    for (const message of [good, good, { type: "of a later version" }, good])
      registry.cellMessages.add(1, JSON.stringify(message), mesh.now);
    registry.outbox.add({ kind: "send_to_cell", cell: 1 }, mesh.now);
    await runFor(mesh, 12 * MINUTE);
    expect(mesh.cellOf(1).registry.cellMessages.received(0)).toBe(before + 2);
    expect(registry.cellMessages.waiting()).toMatchObject([
      { cell: 1, messages: 2, first: "of a later version" },
    ]);
    expect((await alertsOf(mesh)).map(({ message }) => message)).toEqual([
      expect.stringContaining("(of a later version) holds up the others"),
    ]);
  });

  test("CE164 nor does it while messages are added all the time", async () => {
    const mesh = await meshOf(3);
    const { registry } = mesh.cellOf(0);
    const before = mesh.cellOf(1).registry.cellMessages.received(0);
    const good = { type: "dials", any: true };
    for (const message of [good, good, { type: "of a later version" }])
      registry.cellMessages.add(1, JSON.stringify(message), mesh.now);
    for (let sent = 0; sent < 10; sent++) {
      mesh.now += 100;
      await sendTo(mesh, 1);
      await mesh.drain();
    }
    expect(mesh.cellOf(1).registry.cellMessages.received(0)).toBe(before + 2);
  });
});
