import { expect, it } from "vitest";
import type { ReceivedDelivery } from "../../src/contract/webhooks.ts";
import { placeOfDelivery } from "../../src/cells/placement.ts";
import { homeOf } from "../../src/cells/topology.ts";
import { must } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { deliveryOf, sourceNamed, startedMesh } from "./mesh-facts.ts";

it("CE34 CE6 a delivery is one task also if a caller and the former cell do not know the new cells yet", async () => {
  const mesh = await startedMesh(new CellMesh({ cells: 4 }));
  must(await mesh.call("put_webhook_source", sourceNamed("ci")));
  const { id, revision } = must(await mesh.call("open_webhook_source", { name: "ci" }));
  const before = mesh.known;
  mesh.setCells(8);
  // The messages and questions that bring the topology to cells 1 to 3 are lost for now.
  mesh.transport.faultOf = (to, names) =>
    (names.includes("receive_messages") || names.includes("hand_over")) && to < 4
      ? "request_lost"
      : "none";
  await mesh.cellOf(0).tick();
  await mesh.call("get_auth_mode", {});
  const after = mesh.known;
  expect(after.version).toBeGreaterThan(before.version);
  const doubled: string[] = [];
  for (let n = 0; n < 24; n++) {
    const place = placeOfDelivery("ci", `delivery ${n}`);
    // Only deliveries that leave one of these cells: any other call by the new topology would tell them of it.
    if (homeOf(before, place) === 0 || homeOf(after, place) < 4) continue;
    const input = deliveryOf({ id, revision }, `delivery ${n}`);
    mesh.known = after;
    const first = must(await mesh.call("receive_delivery", input)) as ReceivedDelivery;
    // The sender repeats it; another isolate of the gateway gets it, which has not heard of the new cells.
    mesh.known = before;
    const again = must(await mesh.call("receive_delivery", input)) as ReceivedDelivery;
    if (again.taskId !== first.taskId) doubled.push(`${n}: ${first.taskId} ${again.taskId}`);
  }
  expect(doubled).toEqual([]);
});
