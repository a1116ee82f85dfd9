import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CellMesh } from "./cell-mesh.ts";
import { turn } from "./transport.ts";
import { faultsAmong, type Fault } from "./transport.ts";

const FAULTS = faultsAmong(2);

describe("a mesh of several cells", () => {
  it("CE6 learns the number of its cells from cell 0, and its callers learn it from any", async () => {
    const mesh = new CellMesh({ cells: 4 });
    expect((await mesh.call("get_auth_mode", {})).ok).toBe(true);
    expect(mesh.known.cells).toEqual(["active", "active", "active", "active"]);
    await mesh.settle(2);
    expect(mesh.cells.map(({ registry }) => registry.cells.topology.version)).toEqual([1, 1, 1, 1]);
    expect(mesh.cells.map(({ registry }) => registry.cells.own)).toEqual([0, 1, 2, 3]);
  });

  it("CE167 a new cell does not take itself for cell 0: it tells nobody of cells", async () => {
    const mesh = new CellMesh({ cells: 1 });
    await mesh.call("get_auth_mode", {});
    mesh.setCells(4);
    await mesh.settle(4);
    const told = [1, 2, 3].map((cell) =>
      [0, 1, 2, 3].map((to) => mesh.cellOf(cell).links(to).sent),
    );
    // Only cell 0 is told anything, of the peers.
    for (const [, ...others] of told) expect(others).toEqual([0, 0, 0]);
    expect(mesh.cellOf(0).links(3).sent).toBeGreaterThan(0);
  });

  it("CE2 of one cell sends no messages and stores nothing of cells", async () => {
    const mesh = new CellMesh({ cells: 1 });
    await mesh.call("create_token", { label: "a", scope: "admin" });
    await mesh.settle(3);
    const { registry } = mesh.cellOf(0);
    expect([registry.cells.isSingle, registry.cellMessages.count(1)]).toEqual([true, 0]);
    expect([...mesh.transport.calls.keys()]).toEqual(["create_token"]);
  });

  it("CE6 a cell that can't ask cell 0 serves nobody", async () => {
    const mesh = new CellMesh({ cells: 2 });
    mesh.transport.faultOf = (_, names) =>
      names.includes("receive_messages") ? "request_lost" : "none";
    await mesh.call("get_auth_mode", {});
    mesh.transport.down.add(0);
    const ids = Array.from({ length: 64 }, (_, n) => n.toString(16).padStart(32, "0"));
    const answers = await Promise.all(ids.map((id) => mesh.call("get_peer", { id })));
    for (const answer of answers) expect(answer).toMatchObject({ error: { code: "unavailable" } });
  });
});

describe("messages between cells", () => {
  it("CE7 are taken once and in their order, however calls are lost, repeated and delayed, and cells crash", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(fc.constantFrom("send", "step", "step", "tick", "crash 0", "crash 1"), {
          maxLength: 40,
        }),
        async (seed, acts) => {
          const mesh = new CellMesh({ cells: 2, seed });
          await mesh.call("get_auth_mode", {});
          await mesh.settle(2);
          let version = mesh.known.version;
          mesh.transport.isHeld = true;
          mesh.transport.faultOf = () => FAULTS[Math.floor(mesh.random() * FAULTS.length)] as Fault;
          for (const act of acts) {
            if (act === "send") {
              version++;
              mesh.setCells(mesh.config.cells === 2 ? 3 : 2);
              void mesh
                .cellOf(0)
                .run("mesh", [{ name: "learn_topology", input: { own: 0, topology: mesh.known } }]);
            } else if (act === "step") mesh.transport.step();
            else if (act === "tick") {
              mesh.now += 5_000;
              void mesh.cellOf(0).tick();
            } else mesh.cellOf(Number(act.at(-1))).crash();
            await turn();
          }
          mesh.transport.faultOf = () => "none";
          mesh.transport.isHeld = false;
          await mesh.drain();
          await mesh.settle();
          const { topology } = mesh.cellOf(0).registry.cells;
          // A cell that had drained has been removed.
          expect(topology.version).toBeGreaterThanOrEqual(version);
          expect(mesh.cellOf(1).registry.cells.topology).toEqual(topology);
          expect(mesh.cellOf(0).registry.cellMessages.count(1)).toBe(0);
          const { sent } = mesh.cellOf(0).links(1);
          expect(mesh.cellOf(1).registry.cellMessages.received(0)).toBe(sent);
        },
      ),
      { numRuns: 150 },
    );
  });
});
