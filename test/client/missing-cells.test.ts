import { expect, test } from "vitest";
import { controller } from "../../src/client/index.ts";

const answersOf = (...answers: object[]) => {
  const missing: (readonly number[])[] = [];
  const mesh = controller({
    url: "http://mesh.test",
    fetch: () => Promise.resolve(Response.json(answers.shift())),
    onMissingCells: (cells) => missing.push(cells),
  });
  return { mesh, missing };
};

test("CE42 the SDK calls onMissingCells for each answer that lacks what some cells have", async () => {
  const page = { entries: [], next_cursor: "1" };
  const { mesh, missing } = answersOf(
    { ...page, missing_cells: [2] },
    { entries: [], next_cursor: null },
    { peers: [], next_cursor: null, missing_cells: [0, 3] },
  );
  expect(await mesh.denylist.list().toArray()).toEqual([]);
  expect(missing).toEqual([[2]]);
  expect(await mesh.peers.schedule("cordon", { state: "active" })).toEqual([]);
  expect(missing).toEqual([[2], [0, 3]]);
});
