import { expect, it } from "vitest";
import { cellOfTask } from "../../src/cells/task-cell.ts";
import { submission } from "../coordinator/submission.ts";
import { must } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { keyAt, MeshPeer } from "./mesh-peer.ts";

const ALL = { visibleTo: null } as const;

/** A mesh of 4 cells with queued tasks in several of them, and no worker yet. */
async function meshWithTasks(count: number) {
  const mesh = new CellMesh({ cells: 4 });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    mesh.now += n % 2;
    ids.push(must(await mesh.call("enqueue_task", submission({ kind: "echo" }))).id);
  }
  expect(new Set(ids.map(cellOfTask)).size).toBeGreaterThan(2);
  return { mesh, ids: ids.toSorted((a, b) => (a < b ? -1 : 1)) };
}

/** A worker joins in cell 2, and the tasks move to it. It does them, if it works. */
async function moveAll(mesh: CellMesh, ids: readonly string[], works: boolean): Promise<void> {
  const key = keyAt(mesh, 2, 0);
  const peer = await new MeshPeer(mesh, key).join({ kinds: ["echo"], slots: 4 });
  for (let second = 0; second < 20; second++) {
    if (works) await peer.work();
    mesh.now += 1_000;
    await Promise.all(mesh.cells.map((cell) => cell.tick()));
    await mesh.drain();
  }
  const moved = ids.filter((id) => mesh.cellOf(2).registry.tasks.get(id) !== null);
  expect(moved.length).toBeGreaterThan(ids.filter((id) => cellOfTask(id) === 2).length);
}

it("CE41 tasks that move between two pages are shown once", async () => {
  const { mesh, ids } = await meshWithTasks(24);
  const shown: string[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = must(await mesh.call("list_tasks", { limit: 5, cursor, ...ALL }));
    shown.push(...page.tasks.map(({ id }) => id));
    if (page.next_cursor === null) break;
    if (cursor === undefined) await moveAll(mesh, ids, true);
    cursor = page.next_cursor;
  }
  expect(shown.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(ids);
});

it("CE48 CE50 acts on named tasks find those that have moved, and why says where they are", async () => {
  const { mesh, ids } = await meshWithTasks(24);
  await moveAll(mesh, ids, false);
  const [moved = ""] = ids.filter(
    (id) => cellOfTask(id) !== 2 && mesh.cellOf(2).registry.tasks.get(id) !== null,
  );
  const { cells } = must(await mesh.call("why_task", { id: moved, ...ALL }));
  expect([cells?.cell, cells?.considered.at(-1)]).toEqual([2, 2]);
  // The two that were compared for the submission: the better one accepted it.
  expect(cells?.considered[0]).toBe(cellOfTask(moved));
  expect(cells?.considered.length).toBeGreaterThanOrEqual(2);
  const preview = must(await mesh.call("preview_tasks", { act: "cancel", ids, ...ALL }));
  expect(preview).toMatchObject({ count: 24, skipped: [] });
  const done = must(await mesh.call("cancel_tasks", { ids, ...ALL }));
  expect(done).toMatchObject({ count: 24, skipped: [], next_cursor: null });
  const again = must(await mesh.call("cancel_tasks", { ids, ...ALL }));
  expect(again.skipped.map(({ code }) => code)).toEqual(ids.map(() => "task_ended"));
  const back = must(await mesh.call("retry_tasks", { ids, ...ALL }));
  expect(back).toMatchObject({ count: 24, skipped: [] });
});
