import { describe, expect, it } from "vitest";
import { placeOfDelivery, placeOfKey } from "../../src/cells/placement.ts";
import { homeOf, type Topology } from "../../src/cells/topology.ts";
import type { ReceivedDelivery } from "../../src/contract/webhooks.ts";
import { submission } from "../coordinator/submission.ts";
import { must } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { deliveryOf, sourceNamed, startedMesh } from "./mesh-facts.ts";

/**
 * A mesh that grows from two cells to three, of which cell 1 is told nothing: neither by cell 0 nor by the new cell, which fetches its peers
 * later. The topologies that callers know who have not heard of it, and who have.
 */
async function grownUnknown(prepare: (mesh: CellMesh) => Promise<unknown> = async () => {}) {
  const mesh = await startedMesh(new CellMesh({ cells: 2 }));
  await prepare(mesh);
  const before = mesh.known;
  mesh.transport.faultOf = (to, names) =>
    to === 1 && (names.includes("receive_messages") || names.includes("hand_over"))
      ? "request_lost"
      : "none";
  mesh.setCells(3);
  await mesh.cellOf(0).tick();
  await mesh.drain();
  const after = mesh.cellOf(0).registry.cells.topology;
  expect(mesh.cellOf(1).registry.cells.topology.version).toBe(before.version);
  return { mesh, before, after };
}

/** The first name of `name(n)` that belonged to cell 1, and belongs to cell 2 now. */
function movedFrom1To2(before: Topology, after: Topology, placeOf: (name: string) => string) {
  for (let n = 0; ; n++) {
    const place = placeOf(`name ${n}`);
    if (homeOf(before, place) === 1 && homeOf(after, place) === 2) return `name ${n}`;
  }
}

describe("a former home that has not heard of a growth", () => {
  it("CE106 accepts nothing under a key any more once the new home has asked for it", async () => {
    const { mesh, before, after } = await grownUnknown();
    const scope = "admin";
    const key = movedFrom1To2(before, after, (name) => placeOfKey(scope, name));
    const submit = async (known: Topology) => {
      mesh.known = known;
      const asked = submission({ kind: "echo" }, { idempotency: { scope, key } });
      return must(await mesh.call("submit_task", asked));
    };
    const first = await submit(after);
    const second = await submit(before);
    expect([second.task.id, second.duplicate]).toEqual([first.task.id, true]);
    expect(mesh.cells.map(({ registry }) => registry.tasks.waiting.length)).toEqual([0, 0, 1]);
  });

  it("CE34 takes no delivery any more once its new cell has asked for it", async () => {
    const { mesh, before, after } = await grownUnknown(async (small) =>
      must(await small.call("put_webhook_source", sourceNamed("ci"))),
    );
    const id = movedFrom1To2(before, after, (name) => placeOfDelivery("ci", name));
    const deliver = async (known: Topology) => {
      const source = must(await mesh.call("open_webhook_source", { name: "ci" }));
      // Cell 0 tells its callers of the growth.
      mesh.known = known;
      return must(await mesh.call("receive_delivery", deliveryOf(source, id))) as ReceivedDelivery;
    };
    const first = await deliver(after);
    const second = await deliver(before);
    expect(first.outcome).toBe("task");
    expect(second).toMatchObject({ outcome: "duplicate", taskId: first.taskId });
  });
});
