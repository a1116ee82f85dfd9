import { expect, it } from "vitest";
import type { Topology } from "../../src/cells/topology.ts";
import { DAY, MINUTE } from "../../src/base/clock.ts";
import { must } from "../must.ts";
import { submission } from "../coordinator/submission.ts";
import { CellMesh } from "./cell-mesh.ts";
import { CellPeer } from "./cell-peer.ts";
import { codeOf, createToken, startedMesh } from "./mesh-facts.ts";

const topologyOf = (mesh: CellMesh): Topology => mesh.cellOf(0).registry.cells.topology;

/** The operator sets another number of cells, and cell 0 has heard of it. */
async function resize(mesh: CellMesh, cells: number): Promise<void> {
  mesh.setCells(cells);
  await mesh.cellOf(0).tick();
  await mesh.call("get_auth_mode", {});
}

it("CE3 CE106 a key leads to its task after any number of changes within its life", async () => {
  const mesh = new CellMesh({ cells: 7 });
  const submit = async (key: string): Promise<string> => {
    const idempotency = { scope: "admin", key };
    const task = submission({ kind: "a", payload: key }, { idempotency });
    return must(await mesh.call("submit_task", task)).task.id;
  };
  const keys = Array.from({ length: 60 }, (_, n) => `key ${n}`);
  const first: string[] = [];
  for (const key of keys) first.push(await submit(key));
  for (let change = 0; change < 17; change++) {
    await resize(mesh, 4 + (change % 2));
    await mesh.settle(2);
  }
  const again: string[] = [];
  for (const key of keys) again.push(await submit(key));
  expect(again).toEqual(first);
});

it("CE21 CE24 a cell that was removed and comes back accepts no token that was revoked in between", async () => {
  const mesh = await startedMesh(new CellMesh({ cells: 3 }));
  const token = await createToken(mesh, { scope: "admin" });
  await resize(mesh, 1);
  for (let looks = 0; looks < 3; looks++) {
    await mesh.settle(6);
    mesh.now += 6 * MINUTE;
  }
  await mesh.settle(2);
  expect(topologyOf(mesh).cells).toEqual(["active", "removed", "removed"]);
  must(await mesh.call("revoke_token", { id: token.id, keepTasks: false }));
  // Cell 0 says which cells there are, and then does not answer in time.
  mesh.transport.faultOf = (_, names) =>
    names.some((name) => name.includes("facts") || name === "receive_messages")
      ? "request_lost"
      : "none";
  await resize(mesh, 3);
  expect(topologyOf(mesh).cells).toEqual(["active", "active", "active"]);
  for (let calls = 0; calls < 12; calls++)
    expect(codeOf(await mesh.call("authenticate", token))).not.toBe("ok");
});

it("CE103 a revoked peer stays out of a mesh that was off for a month before its peers had moved", async () => {
  const mesh = new CellMesh({ cells: 1 });
  const peers = Array.from({ length: 8 }, (_, n) => new CellPeer(mesh, 4_000 + n));
  for (const peer of peers) {
    expect(await peer.join()).toMatchObject({ ok: true });
    must(await mesh.call("revoke_peer", { id: peer.id }));
  }
  mesh.transport.faultOf = (_, names) =>
    names.includes("receive_messages") || names.includes("hand_over") ? "request_lost" : "none";
  await resize(mesh, 4);
  await mesh.call("list_peers", { limit: 10 });
  mesh.now += 31 * DAY;
  for (const cell of mesh.cells) cell.crash();
  mesh.transport.faultOf = () => "none";
  for (const peer of peers) expect(codeOf(await peer.join())).toBe("revoked");
});

it("CE108 audited acts of a cell are shown after the cell was removed", async () => {
  const mesh = await startedMesh(new CellMesh({ cells: 4 }));
  const peers = Array.from({ length: 8 }, (_, n) => new CellPeer(mesh, 4_000 + n));
  for (const peer of peers) {
    await peer.join();
    must(await mesh.call("revoke_peer", { id: peer.id }));
  }
  const revocations = async (): Promise<number> => {
    const { entries } = must(await mesh.call("list_audit", { limit: 200 }));
    return entries.filter(({ act }) => act.includes("revoke")).length;
  };
  expect(await revocations()).toBe(8);
  await resize(mesh, 1);
  for (let looks = 0; looks < 4; looks++) {
    await mesh.settle(6);
    mesh.now += 6 * MINUTE;
  }
  await mesh.settle(2);
  expect(topologyOf(mesh).cells).toEqual(["active", "removed", "removed", "removed"]);
  expect(await revocations()).toBe(8);
});
