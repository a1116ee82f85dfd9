import { describe, expect, it } from "vitest";
import type { DeliveryInput, ReceivedDelivery } from "../../src/contract/webhooks.ts";
import { must } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { deliveryOf, sourceNamed, startedMesh } from "./mesh-facts.ts";

const HASH = "a".repeat(64);

/** Delivers to a source, under the rules of now. */
async function deliver(mesh: CellMesh, deliveryId: string, more: Partial<DeliveryInput> = {}) {
  const source = must(await mesh.call("open_webhook_source", { name: "ci" }));
  return must(
    await mesh.call("receive_delivery", { ...deliveryOf(source, deliveryId), ...more }),
  ) as ReceivedDelivery;
}

const ids = Array.from({ length: 24 }, (_, n) => `delivery ${n}`);

/** In how many cells tasks of deliveries wait. */
const cellsWithTasks = (mesh: CellMesh) =>
  mesh.cells.filter(({ registry }) => registry.tasks.waiting.length > 0).length;

describe("webhook sources of a mesh of several cells", () => {
  it("CE34 a delivery is one task, whichever cell it belongs to; deliveries of all cells are counted together", async () => {
    const mesh = await startedMesh(new CellMesh({ cells: 4 }));
    must(await mesh.call("put_webhook_source", sourceNamed("ci")));
    const first = await Promise.all(ids.map((id) => deliver(mesh, id)));
    const again = await Promise.all(ids.map((id) => deliver(mesh, id)));
    expect(again).toEqual(
      first.map(({ taskId }) => expect.objectContaining({ outcome: "duplicate", taskId })),
    );
    expect(cellsWithTasks(mesh)).toBe(4);
    const [listed] = must(await mesh.call("list_webhook_sources", {})).sources;
    expect(listed?.deliveries).toBe(ids.length);
    expect(must(await mesh.call("get_webhook_source", { name: "ci" })).deliveries).toBe(ids.length);
  });

  it("CE34 a body in the time before is the same delivery", async () => {
    const mesh = await startedMesh(new CellMesh({ cells: 4 }));
    must(await mesh.call("put_webhook_source", sourceNamed("ci")));
    for (let bucket = 0; bucket < 8; bucket++) {
      const first = await deliver(mesh, `${HASH}@${2 * bucket}`);
      const earlier = { deliveryId: `${HASH}@${2 * bucket}`, since: 0 };
      const next = await deliver(mesh, `${HASH}@${2 * bucket + 1}`, { earlier });
      expect(next).toMatchObject({ outcome: "duplicate", taskId: first.taskId });
    }
  });

  it("CE34 a delivery is one task also if the number of cells changes between it and its repetition", async () => {
    const mesh = new CellMesh({ cells: 1 });
    must(await mesh.call("put_webhook_source", sourceNamed("ci")));
    const first = await Promise.all(ids.map((id) => deliver(mesh, id)));
    mesh.setCells(4);
    await startedMesh(mesh);
    const again = await Promise.all(ids.map((id) => deliver(mesh, id)));
    expect(again).toEqual(
      first.map(({ taskId }) => expect.objectContaining({ outcome: "duplicate", taskId })),
    );
    expect((await deliver(mesh, "new")).outcome).toBe("task");
  });

  it("CE34 a replay finds its delivery where it is", async () => {
    const mesh = new CellMesh({ cells: 1 });
    must(await mesh.call("put_webhook_source", sourceNamed("ci")));
    for (const id of ids) await deliver(mesh, id);
    const page = must(await mesh.call("list_deliveries", { source: "ci", limit: 50 }));
    mesh.setCells(4);
    await startedMesh(mesh);
    for (const { id: of, delivery_id } of page.deliveries) {
      const replay = { of, newTask: "again" };
      expect(await deliver(mesh, delivery_id, { replay })).toMatchObject({ outcome: "task" });
    }
  });

  it("CE29 a source that is removed and created again begins anew in every cell", async () => {
    const mesh = await startedMesh(new CellMesh({ cells: 4 }));
    must(await mesh.call("put_webhook_source", sourceNamed("ci")));
    const before = await Promise.all(ids.map((id) => deliver(mesh, id)));
    must(await mesh.call("remove_webhook_source", { name: "ci" }));
    for (const { taskId } of before)
      expect(must(await mesh.call("get_task", { id: taskId ?? "", visibleTo: null })).state).toBe(
        "cancelled",
      );
    must(await mesh.call("put_webhook_source", sourceNamed("ci")));
    expect(must(await mesh.call("get_webhook_source", { name: "ci" })).deliveries).toBe(0);
    const after = await Promise.all(ids.map((id) => deliver(mesh, id)));
    expect(after.map(({ outcome }) => outcome)).toEqual(ids.map(() => "task"));
  });
});
