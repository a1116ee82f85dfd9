import { describe, expect, test } from "vitest";
import { SECOND } from "../../src/base/clock.ts";
import { KEYS, TestMesh } from "./mesh.ts";

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
