import * as fc from "fast-check";
import { expect, it } from "vitest";
import { submission } from "../coordinator/submission.ts";
import { must } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { keyAt, MeshPeer } from "./mesh-peer.ts";

/** Two cells with peers of so many slots each. */
async function meshOf(slots: readonly [number, number], seed: number) {
  const mesh = new CellMesh({ cells: 2, seed, balances: true });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  const peers = await Promise.all(
    slots.map((count, cell) =>
      new MeshPeer(mesh, keyAt(mesh, cell)).join({ kinds: ["echo"], slots: count }),
    ),
  );
  return { mesh, peers };
}

it("CE149 of two cells a task goes to the one with a free slot, whatever its caller knew before: no task waits while a slot is free", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      fc.nat(),
      async (slots, seed) => {
        const { mesh, peers } = await meshOf(slots, seed);
        const places = slots[0] + slots[1];
        for (let n = 0; n < places; n++) {
          must(await mesh.call("enqueue_task", submission({ kind: "echo" })));
          for (const peer of peers)
            for (let offer = peer.nextOffer(); offer !== null; offer = peer.nextOffer())
              await peer.accept(offer);
          expect(mesh.cells.map(({ registry }) => registry.tasks.waiting.length)).toEqual([0, 0]);
        }
        expect(mesh.transport.calls.get("ask_room")).toBeUndefined();
        must(await mesh.call("enqueue_task", submission({ kind: "echo" })));
        const waiting = mesh.cells.map(({ registry }) => registry.tasks.waiting.length);
        expect(waiting.toSorted((a, b) => a - b)).toEqual([0, 1]);
      },
    ),
    { numRuns: 15 },
  );
});
