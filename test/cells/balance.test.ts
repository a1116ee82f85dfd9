import * as fc from "fast-check";
import { expect, it, vi } from "vitest";
import { placeOfKey } from "../../src/cells/placement.ts";
import { homeOf } from "../../src/cells/topology.ts";
import type { SubmitTaskInput } from "../../src/protocol/http.ts";
import { submission } from "../coordinator/submission.ts";
import { must, present } from "../must.ts";
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

/** A submission that a caller may repeat. */
const keyed = (key: string, kind = "echo", more: Partial<SubmitTaskInput> = {}) =>
  submission({ kind, ...more }, { idempotency: { scope: "s", key } });

/** The caller learns what both cells have: tasks of a kind that nobody does go to the homes of their keys. */
async function learn(mesh: CellMesh): Promise<void> {
  for (let n = 0; n < 12; n++) must(await mesh.call("enqueue_task", keyed(`known ${n}`, "nobody")));
}

const queuedOf = (mesh: CellMesh, kind: string): readonly number[] =>
  mesh.cells.map(({ registry }) => registry.tasks.waiting.queuedKinds().get(kind) ?? 0);

it("CE153 a task with an idempotency key waits in no cell while a slot is free in another, and a repeated submission makes no other one", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 4 })),
      fc.nat(),
      async (slots, seed) => {
        const { mesh, peers } = await meshOf(slots, seed);
        await learn(mesh);
        const ids: string[] = [];
        const submit = async (n: number) => must(await mesh.call("enqueue_task", keyed(`${n}`)));
        for (let n = 0; n < slots[0] + slots[1]; n++) {
          ids.push((await submit(n)).id);
          await mesh.drain();
          for (const peer of peers)
            for (let offer = peer.nextOffer(); offer !== null; offer = peer.nextOffer())
              await peer.accept(offer);
          expect(queuedOf(mesh, "echo")).toEqual([0, 0]);
        }
        for (const [n, id] of ids.entries())
          expect(await submit(n)).toEqual({ id, duplicate: true });
        expect(new Set(ids).size).toBe(ids.length);
      },
    ),
    { numRuns: 15 },
  );
});

it.each<[string, boolean, Partial<SubmitTaskInput>]>([
  ["no place of its own", true, {}],
  ["a kind that no other cell does", false, { kind: "nobody" }],
  ["the name of a peer", false, { requirements: { peer_id: "f".repeat(32) } }],
  ["a concurrency key", false, { concurrency: { key: "c", limit: 1 } }],
])(
  "CE153 a task with an idempotency key and %s is handed on to the cell with a free slot: %s",
  async (_, isHandedOn, task) => {
    const { mesh } = await meshOf([0, 1], 1);
    await learn(mesh);
    const isHome = (key: string): boolean => homeOf(mesh.known, placeOfKey("s", key)) === 0;
    const key = present(Array.from({ length: 50 }, (__, n) => `key ${n}`).find(isHome));
    const run = vi.spyOn(mesh.cellOf(0), "run");
    const { id } = must(await mesh.call("enqueue_task", keyed(key, "echo", task)));
    const names = run.mock.calls.flatMap(([, sent]) => sent.map(({ name }) => name));
    expect(names.includes("hand_on_task")).toBe(isHandedOn);
    await mesh.drain();
    expect(mesh.cellOf(1).registry.tasks.get(id) !== null).toBe(isHandedOn);
    expect(mesh.cellOf(0).registry.tasks.get(id) !== null).toBe(!isHandedOn);
  },
);

it.each<[string, readonly [number, number], boolean]>([
  ["to a cell whose digest the caller does not have", [0, 1], false],
  ["to one without a free slot", [0, 0], true],
  ["by a home with a free slot", [1, 1], true],
])("CE153 a task is not handed on %s", async (_, slots, isKnown) => {
  const { mesh } = await meshOf(slots, 1);
  if (isKnown) await learn(mesh);
  const runs = mesh.cells.map((cell) => vi.spyOn(cell, "run"));
  must(await mesh.call("enqueue_task", keyed("key")));
  const sent = runs.flatMap((run) => run.mock.calls.flatMap(([, commands]) => commands));
  expect(sent.map(({ name }) => name)).not.toContain("hand_on_task");
});
