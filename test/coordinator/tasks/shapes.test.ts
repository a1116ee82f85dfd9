import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OWNER_SHAPES_MAX } from "../../../src/protocol/constants.ts";
import { KEYS, submission, TestMesh } from "../mesh.ts";

const [A, B, C] = KEYS;
const LABELS = ["gpu", "zone=1", "zone=2", "mem=4", "mem=16"];
const REQUIRED = ["gpu", "zone", "zone=1", "zone=2", "mem>=8", "mem<8"];

const operations = fc.array(
  fc.oneof(
    fc.record({
      peer: fc.nat(1),
      capabilities: fc.uniqueArray(fc.constantFrom(...LABELS), { maxLength: 3 }),
      kinds: fc.uniqueArray(fc.constantFrom("a", "b"), { maxLength: 2 }),
    }),
    fc.record({
      required: fc.uniqueArray(fc.constantFrom(...REQUIRED), { maxLength: 2 }),
      kind: fc.constantFrom("a", "b"),
      named: fc.option(fc.nat(1), { nil: undefined }),
    }),
    fc.constant("finish" as const),
    fc.constant("restart" as const),
    fc.constant("rollback" as const),
  ),
  { maxLength: 30 },
);

/** Fills the queue with shapes that no peer can take, so that the index is used. */
function crowded(): TestMesh {
  const mesh = new TestMesh();
  for (let n = 0; n < 60; n++)
    mesh.submit({
      kind: "a",
      requirements: { capabilities: [`other=${n}`] },
      deadline_seconds: 86_400,
    });
  return mesh;
}

describe("a queue with many shapes", () => {
  test("AS124 gives every shape that a peer could take, whatever has happened before", () => {
    fc.assert(
      fc.property(operations, (all) => {
        const mesh = crowded();
        const peers = [mesh.join(A, { slots: 1 }), mesh.join(B, { slots: 1 })];
        for (const operation of all) {
          if (operation === "restart") mesh.restart();
          else if (operation === "rollback") rollback(mesh);
          else if (operation === "finish") {
            for (const { id } of peers)
              for (const taskId of mesh.registry.tasks.heldBy(id))
                mesh.attempt("cancel_task", { id: taskId, visibleTo: null });
          } else if ("required" in operation) {
            const { kind, required: capabilities, named } = operation;
            const peerId = named === undefined ? undefined : [A, B][named]?.id;
            mesh.submit({
              kind,
              requirements: { capabilities, ...(peerId && { peer_id: peerId }) },
            });
          } else {
            const { peer, ...announced } = operation;
            peers[peer]?.announce(announced);
          }
          const { roster, tasks } = mesh.registry;
          const open = [...tasks.waiting.shapes()].filter((shape) => roster.isOpen(shape));
          const found = new Set(tasks.waiting.shapesFor(roster.takers(), roster.classes));
          expect(open.filter((shape) => !found.has(shape))).toEqual([]);
          expect(found.size).toBeLessThan(30);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("AS125 takes 1,000 shapes of an owner, and more tasks of these", () => {
    const mesh = new TestMesh();
    const owner = "tenant";
    const of = (n: number, who = owner) =>
      submission({ kind: "a", requirements: { capabilities: [`zone=${n}`] } }, { owner: who });
    for (let n = 0; n < OWNER_SHAPES_MAX; n++) mesh.run("submit_task", of(n));
    const error = mesh.errorOf("submit_task", of(-1));
    expect(error).toMatchObject({ code: "owner_queue_full", retryAfter: 5 });
    expect(error.detail).toContain("1000 different combinations of kind and requirements");
    const { task } = mesh.run("submit_task", of(1));
    mesh.run("submit_task", of(-1, "another"));
    mesh.run("submit_task", of(-2, "admin"));
    mesh.restart();
    expect(mesh.errorOf("submit_task", of(-1)).code).toBe("owner_queue_full");
    mesh.run("cancel_task", { id: task.id, visibleTo: null });
    expect(mesh.errorOf("submit_task", of(-1)).code).toBe("owner_queue_full");
    mesh.join(C, { capabilities: ["zone=2"] });
    mesh.run("submit_task", of(-1));
  });
});

/** A transaction that changes peers and tasks, and fails. */
function rollback(mesh: TestMesh): void {
  const { registry } = mesh;
  expect(() =>
    registry.transaction(() => {
      for (const { id } of [A, B]) {
        const peer = registry.peers.get(id);
        if (peer !== null) registry.peers.put({ ...peer, capabilities: ["gpu"], held: 0 });
      }
      throw new Error("undone");
    }),
  ).toThrow("undone");
}
