import { expect, it } from "vitest";
import type { CommandName, Input, Output } from "../../src/contract/commands.ts";
import { TaskMover } from "../../src/coordinator/moves/task-mover.ts";
import { submission } from "../coordinator/submission.ts";
import { must, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";

it("CE84 a cell looks again after a look that failed", async () => {
  const mesh = new CellMesh({ cells: 2 });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  const { registry } = mesh.cellOf(0);
  const input = submission({ kind: "echo" });
  await mesh.cellOf(0).run("admin", [{ name: "enqueue_task", input }]);
  let looks = 0;
  const mover = new TaskMover(
    {
      registry,
      now: () => mesh.now,
      run: () => {
        looks++;
        return Promise.reject(new Error("the command has failed"));
      },
      call: () => Promise.reject(new Error("not used")),
    },
    mesh.random,
  );
  for (let look = 0; look < 3; look++) {
    mesh.now += 1_000;
    registry.taskMoveClock.due(mesh.now, true);
    mesh.now += 1_000;
    registry.taskMoveClock.tick(mesh.now, true);
    await mover.run().catch(() => null);
  }
  expect(looks).toBe(3);
});

it("CE84 tasks that have moved too often hold up none behind them", async () => {
  const mesh = new CellMesh({ cells: 2 });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  const cell = mesh.cellOf(0);
  const run = async <K extends CommandName>(name: K, input: Input<K>): Promise<Output<K>> => {
    const [answer] = await cell.run("mesh", [{ name, input }]);
    return must(present(answer)) as Output<K>;
  };
  const ids: string[] = [];
  for (let n = 0; n < 6; n++)
    ids.push((await run("enqueue_task", submission({ kind: "echo" }))).id);
  for (const taskId of ids.slice(0, 5))
    cell.registry.taskArrivals.put({ taskId, hops: 3, attempts: 0, at: mesh.now, permit: null });
  mesh.now += 1_000;
  const [offer] = (await run("list_moves", {})).offers;
  expect(await run("move_tasks", { to: 1, offer: present(offer), limit: 1 })).toEqual({ moved: 1 });
  expect([...cell.registry.tasks.waiting.all()].map(({ id }) => id)).toEqual(ids.slice(0, 5));
});
