import { describe, expect, test } from "vitest";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

function giveBack(peer: TestPeer, begun: boolean): void {
  peer.accept(!begun);
  peer.mesh.run("release_task", { ...peer.attempt(), reason: "it leaves", begun });
}

describe("a peer that gives back what it gets, and stays", () => {
  test("DR4 a task whose work it gave up goes to others as long as there are any", () => {
    const mesh = new TestMesh();
    const taker = mesh.join(A);
    const { id } = mesh.submit();
    const other = mesh.join(B);
    giveBack(taker, true);
    expect(other.offer.task_id).toBe(id);
    other.leave();
    expect(mesh.task(id)).toMatchObject({ interruptions: 1 });
  });

  test("DR4 it cannot use up a task's interruptions while the others are busy", () => {
    const mesh = new TestMesh();
    const busy = mesh.join(B);
    mesh.submit();
    busy.accept();
    const taker = mesh.join(A);
    const { id } = mesh.submit();
    giveBack(taker, true);
    expect(taker.offers).toHaveLength(1);
    expect(mesh.task(id)).toMatchObject({ state: "queued", interruptions: 1 });
    busy.finish();
    expect(busy.offer.task_id).toBe(id);
  });

  test("DR4 a task that it gives back unbegun again and again counts as refused, and others get it", () => {
    const mesh = new TestMesh();
    const taker = mesh.join(A);
    const { id } = mesh.submit();
    for (let i = 0; i < 4; i++) giveBack(taker, false);
    expect(taker.offers).toHaveLength(4);
    expect(mesh.task(id)).toMatchObject({ state: "queued", attempts_used: 0, interruptions: 0 });
    const other = mesh.join(B);
    expect(other.offer.task_id).toBe(id);
  });
});
