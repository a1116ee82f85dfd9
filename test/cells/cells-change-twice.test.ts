import { expect, it } from "vitest";
import { placeOfKey } from "../../src/cells/placement.ts";
import { homeOf } from "../../src/cells/topology.ts";
import { submission } from "../coordinator/submission.ts";
import { must, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { startedMesh } from "./mesh-facts.ts";
import { turn } from "./transport.ts";

/** Changes the number of cells, and tells all cells and callers. */
async function change(mesh: CellMesh, cells: number): Promise<void> {
  mesh.setCells(cells);
  await mesh.cellOf(0).tick();
  await mesh.drain();
  await mesh.call("get_auth_mode", {});
}

it("CE106 what another cell has said about a key is asked again, if the key had another home meanwhile", async () => {
  const mesh = await startedMesh(new CellMesh({ cells: 3 }));
  const { known: three } = mesh;
  await change(mesh, 2);
  const { known: two } = mesh;
  const scope = "admin";
  const keys = Array.from({ length: 200 }, (_, n) => `key ${n}`);
  const homes = (key: string) => [two, three].map((known) => homeOf(known, placeOfKey(scope, key)));
  const key = present(keys.find((one) => homes(one).join() === "0,2"));
  const submit = (kind: string) =>
    mesh.call("submit_task", submission({ kind }, { idempotency: { scope, key } }));

  // The answer of cell 2, the former home, is on its way while the mesh grows and shrinks again.
  const call = mesh.transport.call.bind(mesh.transport);
  let arrives = (): void => {};
  const arrival = new Promise<void>((resolve) => void (arrives = resolve));
  let asked = 0;
  mesh.transport.call = async (to, names, run) => {
    const answer = await call(to, names, run);
    if (names.includes("find_submission") && asked++ === 0) await arrival;
    return answer;
  };
  const first = submit("echo");
  await turn();
  await change(mesh, 3);
  const second = must(await submit("echo"));
  await change(mesh, 2);
  arrives();
  const { task, duplicate } = must(await first);
  expect([task.id, duplicate]).toEqual([second.task.id, true]);
  const rows = mesh.cells.flatMap((cell) => cell.rows("SELECT id FROM tasks"));
  expect(rows).toEqual([{ id: second.task.id }]);
});
