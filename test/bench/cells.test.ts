import { expect, test } from "vitest";
import { CellLoad } from "../../bench/cells/load/cell-load.ts";
import { PeerPlan } from "../../bench/cells/load/fill-cell.ts";
import { measureOneCell } from "../../bench/cells/load/one-cell.ts";
import { seededRandom } from "../random.ts";

test("CE146 a task in a mesh of one cell runs no statement that concerns cells", () => {
  const { statements_a_task: all, statements_of_cells: ofCells } = measureOneCell();
  expect(all).toBeGreaterThan(1);
  expect(ofCells).toBe(0);
});

test("tasks in a mesh of four cells are accepted and offered without a call between cells", async () => {
  const load = await CellLoad.start(4, 400);
  const peers = load.addPeers(new PeerPlan(400, seededRandom(3)));
  expect(peers.reduce((sum, one) => sum + one, 0)).toBe(400);
  await load.round(300);
  const { commands, between } = await load.round(40);
  expect([commands, between]).toEqual([1, 0]);
  expect(Math.min(...load.tasksOf)).toBeGreaterThan(0);
});
