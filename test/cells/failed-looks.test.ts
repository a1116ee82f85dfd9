import { expect, it, vi } from "vitest";
import type { Output } from "../../src/contract/commands.ts";
import { submission } from "../coordinator/submission.ts";
import { must, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { keyAt, MeshPeer } from "./mesh-peer.ts";

/** Cell 0 of a mesh in which each of these owners has so many tasks that have failed often, and have moved as often as they may. */
async function cellOfFailed(owners: number, tasks: number) {
  const mesh = new CellMesh({ cells: 2 });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  await new MeshPeer(mesh, keyAt(mesh, 0, 0)).join({ kinds: ["echo"], slots: 1 });
  const cell = mesh.cellOf(0);
  const { registry } = cell;
  const input = { kind: "echo", max_attempts: 20 } as const;
  for (let owner = 0; owner < owners; owner++)
    for (let n = 0; n < tasks; n++)
      await cell.run("admin", [
        { name: "enqueue_task", input: submission(input, { owner: `owner ${owner}` }) },
      ]);
  const ids = [...registry.tasks.waiting.all()].map(({ id }) => id);
  for (const id of ids) {
    const task = present(registry.tasks.get(id));
    registry.tasks.update({ ...task, attemptsUsed: 10, notBefore: mesh.now + 60_000 });
    registry.taskArrivals.put({ taskId: id, hops: 3, attempts: 0, at: 0, permit: null });
  }
  const look = async () => {
    const [answer] = await cell.run("mesh", [{ name: "list_moves", input: {} }]);
    return (must(present(answer)) as Output<"list_moves">).offers;
  };
  return { mesh, registry, look };
}

it("CE150 a look at tasks that have failed costs a bounded number of statements, however many there are", async () => {
  const { registry, look } = await cellOfFailed(12, 60);
  const read = vi.spyOn(registry.taskArrivals, "get");
  expect(await look()).toEqual([]);
  expect(read.mock.calls.length).toBe(400);
});

it("CE150 tasks that may move no more do not hide one that may", async () => {
  const { registry, look } = await cellOfFailed(1, 120);
  const movable = present([...registry.tasks.waiting.all()].at(-1));
  registry.taskArrivals.put({ taskId: movable.id, hops: 0, attempts: 0, at: 0, permit: null });
  const found: unknown[] = [];
  for (let looks = 0; looks < 20; looks++) found.push(...(await look()));
  expect(found.length).toBeGreaterThan(0);
  expect(found[0]).toMatchObject({ reason: "failed", count: 1 });
});
