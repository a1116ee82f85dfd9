import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FairHeads, type Head } from "../../../src/coordinator/tasks/fair-heads.ts";
import type { SubmitTaskInput } from "../../../src/protocol/http.ts";
import { SCALE } from "../../session/arbitraries.ts";
import { KEYS, submission, testKey, TestMesh } from "../mesh.ts";

const [A] = KEYS;

const submitAs = (mesh: TestMesh, owner: string, task: Partial<SubmitTaskInput> = {}): string =>
  mesh.run("enqueue_task", submission({ kind: "echo", ...task }, { owner })).id;

/** Only the order of a head matters here. */
const headAt = (queuePosition: number, seq: number): Head =>
  ({ task: { queuePosition, seq } }) as Head;

describe("the order in which owners' tasks are offered", () => {
  test("FQ1 the heads of an owner's lanes come in queue order, however they are added, replaced and dropped", () => {
    const anyStep = fc.record({
      act: fc.constantFrom("add", "replace", "drop"),
      position: fc.nat({ max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const heads = new FairHeads({ owner: "a", priority: 0 }, true);
        let model: Head[] = [];
        for (const [seq, { act, position }] of steps.entries()) {
          const head = headAt(position, seq);
          const isEmpty = model.length === 0;
          if (act === "add") heads.add(head);
          else if (act === "drop") heads.dropFirst();
          else if (!isEmpty) heads.replaceFirst(head);
          if (act !== "add") model.shift();
          if (act === "add" || (act === "replace" && !isEmpty)) model.push(head);
          model = model.toSorted(
            (a, b) => a.task.queuePosition - b.task.queuePosition || a.task.seq - b.task.seq,
          );
          expect(heads.first).toEqual(model[0]);
        }
      }),
      { numRuns: 200 * SCALE },
    );
  });

  test("FQ1 an owner that rotates its key has got what it had got before", () => {
    const mesh = new TestMesh();
    const giver = mesh.join(A, { slots: 0 });
    const worker = mesh.join(testKey(50));
    for (let i = 0; i < 40; i++) submitAs(mesh, "other");
    for (let i = 0; i < 20; i++) {
      mesh.advanceClock(1_000);
      worker.finish();
    }
    mesh.run("enqueue_task", submission({ kind: "echo" }, { owner: giver.id, source: "peer" }));
    const { shares } = mesh.registry.tasks;
    const before = shares.tagOf(giver.id);
    expect(before).toBeGreaterThan(0);
    const { id: newPeerId, publicKey: newPublicKey } = testKey(51);
    mesh.run("rotate_peer", { peerId: giver.id, epoch: giver.epoch, newPeerId, newPublicKey });
    expect([shares.tagOf(newPeerId), shares.tagOf(giver.id)]).toEqual([before, 0]);
  });

  test("FQ6 a clock that is set back does not stop a kind with a rate", () => {
    const mesh = new TestMesh();
    const settings = {
      attempt_timeout_seconds: null,
      concurrency: null,
      rate: { per_second: 2, burst: 1 },
    };
    mesh.run("put_kind", { kind: "echo", settings });
    const worker = mesh.join(A, { slots: 4 });
    submitAs(mesh, "a");
    expect(worker.offers).toHaveLength(1);
    mesh.advanceClock(-3_600_000);
    submitAs(mesh, "a");
    mesh.runFor(2_000);
    expect(worker.offers).toHaveLength(2);
  });
});
