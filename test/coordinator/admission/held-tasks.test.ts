import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../src/base/clock.ts";
import type { Input } from "../../../src/contract/commands.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

/** A peer that has begun a task and lost its connection. */
function cutOff(task = { kind: "echo", max_attempts: 2 }) {
  const mesh = new TestMesh();
  const peer = mesh.join(A);
  const { id } = mesh.submit(task);
  peer.accept();
  peer.leave("the connection broke");
  return { mesh, peer, id };
}

describe("a peer that comes back", () => {
  test("AS20 goes on with what it had begun while nobody else has got it, and no try is lost", () => {
    const { mesh, peer, id } = cutOff();
    peer.join({ slots: 0 });
    peer.progress(0.7, "still at it");
    expect(mesh.task(id)).toMatchObject({
      state: "running",
      peer_id: peer.id,
      progress: 0.7,
      message: "still at it",
      error: null,
    });
    expect(mesh.task(id).attempts).toMatchObject([{ attempt: 1, state: "running", error: null }]);
    expect(peer.view.tasks).toBe(1);
    peer.fail();
    expect(mesh.task(id).state).toBe("queued");
  });

  test("AS20 has its result taken, though the task waits for another", () => {
    const { mesh, peer, id } = cutOff();
    peer.join({ slots: 0 });
    peer.finish("made while away");
    expect(mesh.task(id)).toMatchObject({ state: "succeeded", result: "made while away" });
  });

  test("AS20 has lost it once another has it", () => {
    const { mesh, peer, id } = cutOff();
    const claim = peer.claim();
    const other = mesh.join(B);
    mesh.live(2 * SECOND);
    expect(other.offer).toMatchObject({ task_id: id, fence: 2 });
    peer.join({ slots: 0 });
    const renewal = { ...claim, epoch: peer.epoch, progress: 0.5 };
    expect(mesh.refusal("progress_task", renewal).code).toBe("lease_lost");
  });

  test("AS20 has lost it once its tries are spent, or when it had not begun", () => {
    const spent = cutOff({ kind: "echo", max_attempts: 1 });
    spent.peer.join({ slots: 0 });
    expect(spent.mesh.refusal("finish_task", spent.peer.outcome("late")).code).toBe("lease_lost");
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit();
    peer.leave();
    peer.join({ slots: 0 });
    expect(mesh.refusal("finish_task", peer.outcome("early")).code).toBe("lease_lost");
  });

  test("AS20 says nothing by an older session, and nobody else says it for it", () => {
    const { mesh, peer } = cutOff();
    const older = peer.outcome("old");
    peer.join({ slots: 0 });
    expect(mesh.refusal("finish_task", older).code).toBe("lease_lost");
    const other = mesh.join(B, { slots: 0 });
    const foreign = { ...peer.outcome("x"), peerId: other.id, epoch: other.epoch };
    expect(mesh.refusal("finish_task", foreign).code).toBe("lease_lost");
  });
});

describe("a peer that names what it still works on when it comes back", () => {
  const held = (peer: TestPeer, fence = 1) => [{ task_id: peer.offer.task_id, fence }];

  test("AS20 has it back before anything new is offered to it", () => {
    const { mesh, peer, id } = cutOff();
    mesh.submit();
    peer.join({ held: held(peer) });
    expect(mesh.task(id)).toMatchObject({ state: "running", peer_id: peer.id });
    expect(peer.offers).toHaveLength(1);
    expect(peer.view.tasks).toBe(1);
  });

  test("AS20 gives free at once what it does not name: it has started anew", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit();
    peer.accept();
    peer.join({ held: [], slots: 0 });
    expect(mesh.task(id)).toMatchObject({ state: "queued" });
    expect(mesh.task(id).attempts).toMatchObject([{ state: "lost" }]);
    expect(peer.view.tasks).toBe(0);
  });

  test("AS20 keeps its leases when it says nothing of them, as an older peer does", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit();
    peer.accept();
    peer.join();
    expect(mesh.task(id)).toMatchObject({ state: "running", peer_id: peer.id });
  });

  test("AS20 gets nothing by naming what is not its own, or was another's number", () => {
    const { mesh, peer, id } = cutOff();
    mesh.join(B, { slots: 0, held: held(peer) });
    peer.join({ slots: 0, held: held(peer, 2) });
    expect(mesh.task(id).state).toBe("queued");
  });
});

describe("a peer that says anew what it can do", () => {
  test("AS5 gets at once what waited for just that", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const say = (announced: Input<"announce">["announced"], epoch = peer.epoch) =>
      mesh.run("announce", { peerId: peer.id, epoch, announced });
    mesh.submit();
    const task = mesh.submit({ kind: "echo", requirements: { capabilities: ["gpu"] } });
    say({ capabilities: ["gpu"] });
    expect(peer.offers).toHaveLength(1);
    say({ slots: 2 }, peer.epoch - 1);
    expect(peer.offers).toHaveLength(1);
    say({ slots: 2 });
    expect(peer.offer.task_id).toBe(task.id);
    expect(peer.view).toMatchObject({ capabilities: ["gpu"], slots: 2 });
  });

  test("AS5 has its record published anew within a minute, once, however often it speaks", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    for (const label of ["a", "b", "c"]) {
      const announced = { capabilities: [label] };
      mesh.run("announce", { peerId: peer.id, epoch: peer.epoch, announced });
    }
    const before = mesh.publications.length;
    mesh.live(MINUTE);
    expect(mesh.publications).toHaveLength(before + 1);
  });
});

describe("a peer that has lost its lease", () => {
  test("AS21 by silence is told to stop", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", lease_seconds: 5 });
    peer.accept();
    mesh.pass(5 * SECOND);
    mesh.tick();
    expect(peer.cancelled).toMatchObject([{ taskId: id, fence: 1 }]);
  });

  test("AS21 by the deadline commits nothing, though no tick has ended the task", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", deadline_seconds: 10 });
    peer.accept();
    mesh.pass(10 * SECOND);
    expect(mesh.refusal("finish_task", peer.outcome("late")).code).toBe("lease_lost");
    mesh.tick();
    expect(mesh.task(id)).toMatchObject({ state: "expired", result: null });
  });

  test("AS21 by the deadline does not get it back when it returns", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit({ kind: "echo", deadline_seconds: 10 });
    peer.accept();
    peer.leave();
    peer.join({ slots: 0 });
    mesh.pass(10 * SECOND);
    expect(mesh.refusal("finish_task", peer.outcome("late")).code).toBe("lease_lost");
  });
});
