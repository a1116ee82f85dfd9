import { expect, it } from "vitest";
import { homeOf } from "../../src/cells/topology.ts";
import { testKey } from "../coordinator/keys.ts";
import { must, mustFail } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { startedMesh } from "./mesh-facts.ts";
import { MeshPeer } from "./mesh-peer.ts";

/** The cells that have barred a key. */
const barredIn = ({ cells }: CellMesh, id: string): readonly number[] =>
  cells.flatMap(({ number, registry }) => (registry.denylist.has(id) ? [number] : []));

/** Cell 0 of two has a peer whose home is cell 2 of three; the mesh grows to three cells, and cell 0 gives the peer away later. */
async function growing() {
  const mesh = await startedMesh(new CellMesh({ cells: 2, config: { authMode: "open" } }));
  const { known: two } = mesh;
  mesh.transport.faultOf = (_, names) => (names.includes("hand_over") ? "request_lost" : "none");
  mesh.setCells(3);
  await mesh.cellOf(0).tick();
  await mesh.drain();
  await mesh.call("get_auth_mode", {});
  const { known: three } = mesh;
  const keys = Array.from({ length: 200 }, (_, n) => testKey(1_000 + n));
  const key = keys.find(({ id }) => homeOf(two, id) === 0 && homeOf(three, id) === 2);
  if (key === undefined) throw new Error("no key moves from cell 0 to cell 2");
  return { mesh, key, two, three };
}

it("CE100 a key whose home changes while a revocation asks its former home is barred at its new home alone", async () => {
  const { mesh, key, three } = await growing();
  const { id } = key;
  // The mesh shrinks again. Cell 2 is told while it asks cell 0.
  let isAsking = false;
  mesh.transport.faultOf = (to, names) => {
    if (!names.includes("receive_messages") && !names.includes("hand_over")) return "none";
    if (to !== 0) return to === 2 ? "request_lost" : "none";
    const { topology } = mesh.cellOf(0).registry.cells;
    const command = { name: "learn_topology", input: { own: 2, topology } } as const;
    if (isAsking) void mesh.cellOf(2).run("mesh", [command]);
    return "request_lost";
  };
  mesh.setCells(2);
  await mesh.cellOf(0).tick();
  await mesh.drain();
  mesh.known = three;
  isAsking = true;
  expect(mustFail(await mesh.call("revoke_peer", { id })).code).toBe("unavailable");
  expect(barredIn(mesh, id)).toEqual([]);
  mesh.transport.faultOf = () => "none";
  must(await mesh.call("revoke_peer", { id }));
  await mesh.settle();
  expect(barredIn(mesh, id)).toEqual([0]);

  // Readmitted there, it is not barred once cell 2 is its home again.
  must(await mesh.call("lift_denial", { id }));
  mesh.setCells(3);
  await mesh.settle();
  await new MeshPeer(mesh, key).join();
  expect(barredIn(mesh, id)).toEqual([]);
});
