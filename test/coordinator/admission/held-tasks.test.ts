import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../src/base/clock.ts";
import type { SubmitTaskInput } from "../../../src/protocol/http.ts";
import type { Input } from "../../../src/contract/commands.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

/** A peer that started a task and lost its connection. */
function disconnectedWhileRunning(task: SubmitTaskInput = { kind: "echo", max_attempts: 2 }) {
  const mesh = new TestMesh();
  const peer = mesh.join(A);
  const { id } = mesh.submit(task);
  peer.accept();
  peer.leave("the connection broke");
  return { mesh, peer, id };
}

describe("a peer that reconnects", () => {
  test("AS20 a reconnecting peer continues a task that it had started, if no other peer has it; the attempt does not count", () => {
    const { mesh, peer, id } = disconnectedWhileRunning();
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

  test("AS20 a reconnecting peer's result is accepted while its task is queued for another attempt", () => {
    const { mesh, peer, id } = disconnectedWhileRunning();
    peer.join({ slots: 0 });
    peer.finish("made while away");
    expect(mesh.task(id)).toMatchObject({ state: "succeeded", result: "made while away" });
  });

  test("AS20 a reconnecting peer gets lease_lost once another peer has begun its task", () => {
    const { mesh, peer, id } = disconnectedWhileRunning();
    const claim = peer.attempt();
    const other = mesh.join(B);
    mesh.runFor(2 * SECOND);
    expect(other.offer).toMatchObject({ task_id: id, fence: 2 });
    other.accept();
    peer.join({ slots: 0 });
    const renewal = { ...claim, epoch: peer.epoch, progress: 0.5 };
    expect(mesh.errorOf("progress_task", renewal).code).toBe("lease_lost");
  });

  test("AS20 a reconnecting peer gets lease_lost if the task has failed, or if it had not started the task", () => {
    const spent = disconnectedWhileRunning({ kind: "echo", max_interruptions: 0 });
    spent.peer.join({ slots: 0 });
    expect(spent.mesh.errorOf("finish_task", spent.peer.successInput("late")).code).toBe(
      "lease_lost",
    );
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit();
    peer.leave();
    peer.join({ slots: 0 });
    expect(mesh.errorOf("finish_task", peer.successInput("early")).code).toBe("lease_lost");
  });

  test("AS20 a result from the older session, or from another peer, is refused with lease_lost", () => {
    const { mesh, peer } = disconnectedWhileRunning();
    const older = peer.successInput("old");
    peer.join({ slots: 0 });
    expect(mesh.errorOf("finish_task", older).code).toBe("lease_lost");
    const other = mesh.join(B, { slots: 0 });
    const foreign = { ...peer.successInput("x"), peerId: other.id, epoch: other.epoch };
    expect(mesh.errorOf("finish_task", foreign).code).toBe("lease_lost");
  });
});

describe("a peer that lists the tasks it holds when it reconnects", () => {
  const held = (peer: TestPeer, fence = 1) => [{ task_id: peer.offer.task_id, fence }];

  test("AS20 a listed task is leased to the peer again before the peer is offered a new one", () => {
    const { mesh, peer, id } = disconnectedWhileRunning();
    mesh.submit();
    peer.join({ held: held(peer) });
    expect(mesh.task(id)).toMatchObject({ state: "running", peer_id: peer.id });
    expect(peer.offers).toHaveLength(1);
    expect(peer.view.tasks).toBe(1);
  });

  test("AS20 a task that the peer does not list is queued again at once", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit();
    peer.accept();
    peer.join({ held: [], slots: 0 });
    expect(mesh.task(id)).toMatchObject({ state: "queued" });
    expect(mesh.task(id).attempts).toMatchObject([{ state: "lost" }]);
    expect(peer.view.tasks).toBe(0);
  });

  test("AS20 a peer that sends no list, as older peers do, keeps its leases", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit();
    peer.accept();
    peer.join();
    expect(mesh.task(id)).toMatchObject({ state: "running", peer_id: peer.id });
  });

  test("AS20 listing another peer's task, or a fence that was never issued, gives the peer nothing", () => {
    const { mesh, peer, id } = disconnectedWhileRunning();
    mesh.join(B, { slots: 0, held: held(peer) });
    peer.join({ slots: 0, held: held(peer, 2) });
    expect(mesh.task(id).state).toBe("queued");
  });
});

describe("a peer that announces new capabilities or slots", () => {
  test("AS5 a changed announcement is followed at once by the queued tasks that it makes possible", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const announce = (announced: Input<"announce">["announced"], epoch = peer.epoch) =>
      mesh.run("announce", { peerId: peer.id, epoch, announced });
    mesh.submit();
    const task = mesh.submit({ kind: "echo", requirements: { capabilities: ["gpu"] } });
    announce({ capabilities: ["gpu"] });
    expect(peer.offers).toHaveLength(1);
    announce({ slots: 2 }, peer.epoch - 1);
    expect(peer.offers).toHaveLength(1);
    announce({ slots: 2 });
    expect(peer.offer.task_id).toBe(task.id);
    expect(peer.view).toMatchObject({ capabilities: ["gpu"], slots: 2 });
  });

  test("AS5 a changed announcement republishes the peer's record once within a minute, however many announcements follow", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    for (const label of ["a", "b", "c"]) {
      const announced = { capabilities: [label] };
      mesh.run("announce", { peerId: peer.id, epoch: peer.epoch, announced });
    }
    const before = mesh.publications.length;
    mesh.runFor(MINUTE);
    expect(mesh.publications).toHaveLength(before + 1);
  });
});

describe("a peer that has lost its lease", () => {
  test("AS21 a peer whose lease expired is told to stop once another peer has begun the task, and not before", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", lease_seconds: 5 });
    peer.accept();
    mesh.advanceClock(5 * SECOND);
    mesh.tick();
    const other = mesh.join(B);
    mesh.runFor(2 * SECOND);
    expect(other.offer).toMatchObject({ task_id: id, fence: 2 });
    expect(peer.cancelled).toEqual([]);
    other.accept();
    expect(peer.cancelled).toMatchObject([{ taskId: id, fence: 1 }]);
  });

  test("AS21 a result after the deadline is refused, even before a tick has expired the task", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", deadline_seconds: 10 });
    peer.accept();
    mesh.advanceClock(10 * SECOND);
    expect(mesh.errorOf("finish_task", peer.successInput("late")).code).toBe("lease_lost");
    mesh.tick();
    expect(mesh.task(id)).toMatchObject({ state: "expired", result: null });
  });

  test("AS21 a peer that reconnects after the deadline does not get the task back", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit({ kind: "echo", deadline_seconds: 10 });
    peer.accept();
    peer.leave();
    peer.join({ slots: 0 });
    mesh.advanceClock(10 * SECOND);
    expect(mesh.errorOf("finish_task", peer.successInput("late")).code).toBe("lease_lost");
  });
});
