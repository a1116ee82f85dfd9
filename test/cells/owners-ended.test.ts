import { describe, expect, test } from "vitest";
import type { MoveOffer } from "../../src/contract/task-moves.ts";
import type { Output } from "../../src/contract/commands.ts";
import { submission } from "../coordinator/submission.ts";
import { must, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { createToken, startedMesh } from "./mesh-facts.ts";

/** The owner has a task that moves from one cell to another. */
async function moveTask(
  mesh: CellMesh,
  owner: string,
  [from, to]: readonly [number, number],
): Promise<string> {
  const input = submission({ kind: `from${from}to${to}` }, { owner });
  const [made] = await mesh.cellOf(from).run("admin", [{ name: "enqueue_task", input }]);
  mesh.now += 1_000;
  const { kind, requirements } = input.task;
  const shape = { kind, requirements };
  const offer: MoveOffer = { shape, owner, count: 1, reason: "unable", to: null };
  const command = { name: "move_tasks", input: { to, offer, limit: 1 } } as const;
  const [moved] = await mesh.cellOf(from).run("mesh", [command]);
  expect((must(present(moved)) as Output<"move_tasks">).moved).toBe(1);
  await mesh.drain();
  return (must(present(made)) as Output<"enqueue_task">).id;
}

const WAYS: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  "there and back": [
    [0, 1],
    [1, 0],
  ],
  "in a circle": [
    [0, 1],
    [1, 2],
    [2, 0],
  ],
  "between all cells": [0, 1, 2].flatMap((from) =>
    [0, 1, 2].filter((to) => to !== from).map((to) => [from, to] as const),
  ),
};

describe("CE91 the end of an owner whose tasks have moved", () => {
  test.each(Object.keys(WAYS))(
    "%s is confirmed by all cells: no two of them wait for each other",
    async (name) => {
      const mesh = await startedMesh(new CellMesh({ cells: 3 }));
      const { id } = await createToken(mesh);
      const ids: string[] = [];
      for (const way of present(WAYS[name])) ids.push(await moveTask(mesh, id, way));
      must(await mesh.call("revoke_token", { id, keepTasks: false }));
      for (const task of ids) {
        const { state } = must(await mesh.call("get_task", { id: task, visibleTo: null }));
        expect(state).toBe("cancelled");
      }
    },
  );
});
