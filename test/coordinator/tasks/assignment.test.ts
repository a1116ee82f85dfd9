import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../src/base/clock.ts";
import { GO_P2P_KINDS } from "../../../src/protocol/messages.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B, C] = KEYS;
const taskIds = (peer: TestPeer): string[] => peer.offers.map((offer) => offer.task_id);

describe("the peers that a task may be offered to", () => {
  test("AS2 a task is offered to active peers only: a suspect peer gets it after it answers", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.observe("missed_answer");
    const task = mesh.submit();
    expect(peer.offers).toEqual([]);
    peer.observe("answered");
    expect(taskIds(peer)).toEqual([task.id]);
  });

  test("AS2 a task is offered to connected peers only: a peer that left gets it after it reconnects", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.leave();
    const task = mesh.submit();
    expect(peer.offers).toEqual([]);
    peer.join();
    expect(taskIds(peer)).toEqual([task.id]);
  });

  test("AS2 a task is not offered to a controller", () => {
    const mesh = new TestMesh();
    const controller = mesh.join(A, { claimedRole: "controller" });
    mesh.submit();
    expect(controller.offers).toEqual([]);
  });

  test("AS2 a task is offered to a peer with all required capabilities", () => {
    const mesh = new TestMesh();
    const some = mesh.join(A, { capabilities: ["gpu"] });
    const task = mesh.submit({ kind: "echo", requirements: { capabilities: ["gpu", "cuda"] } });
    expect(some.offers).toEqual([]);
    expect(taskIds(mesh.join(B, { capabilities: ["cuda", "x", "gpu"] }))).toEqual([task.id]);
  });

  test("AS2 a task is offered to a peer with at least the required score", () => {
    const mesh = new TestMesh();
    const slow = mesh.join(A, { rttMs: 5_000 });
    const task = mesh.submit({ kind: "echo", requirements: { min_score: slow.view.score + 0.01 } });
    expect(slow.offers).toEqual([]);
    expect(taskIds(mesh.join(B, { rttMs: 1 }))).toEqual([task.id]);
  });

  test("AS2 a task that names a peer is offered to that peer, even if another has a higher score", () => {
    const mesh = new TestMesh();
    const better = mesh.join(A, { rttMs: 1 });
    const named = mesh.join(B, { rttMs: 500 });
    const task = mesh.submit({ kind: "echo", requirements: { peer_id: named.id } });
    expect(better.offers).toEqual([]);
    expect(taskIds(named)).toEqual([task.id]);
  });

  test("AS2 a task is offered to a peer with a free slot", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 2 });
    const tasks = [mesh.submit(), mesh.submit(), mesh.submit()].map(({ id }) => id);
    expect(taskIds(peer)).toEqual(tasks.slice(0, 2));
    peer.finish();
    expect(taskIds(peer)).toEqual(tasks);
  });

  test("AS2 a task is not offered to a peer that refused it in the last minute", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit();
    peer.refuse();
    mesh.advanceClock(MINUTE - 1);
    mesh.tick();
    expect(peer.offers).toHaveLength(1);
    mesh.advanceClock(1);
    mesh.tick();
    expect(taskIds(peer)).toEqual([task.id, task.id]);
  });

  test("AS2 a task is not offered to a peer that refused it in the last minute after it held the task for longer than that", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit({ kind: "echo", lease_seconds: 600 });
    peer.accept();
    mesh.advanceClock(5 * MINUTE);
    peer.refuse("shutting down");
    expect(peer.offers).toHaveLength(1);
    mesh.advanceClock(MINUTE);
    mesh.tick();
    expect(peer.offers).toHaveLength(2);
  });
});

describe("the choice among eligible peers", () => {
  test("AS3 the peer with the highest score gets the task, and the attempt records the score", () => {
    const mesh = new TestMesh();
    mesh.join(A, { rttMs: 300 });
    const best = mesh.join(B, { rttMs: 3 });
    mesh.join(C, { rttMs: 30 });
    const { score } = best.view;
    const task = mesh.submit();
    expect(mesh.task(task.id).attempts).toMatchObject([{ peer_id: best.id, score }]);
  });

  test("AS3 a peer that failed at the task comes last, whatever its score, but is used if there is no other", () => {
    const mesh = new TestMesh();
    const good = mesh.join(A, { rttMs: 1 });
    const bad = mesh.join(B, { rttMs: 2_000 });
    const task = mesh.submit();
    good.fail();
    mesh.runFor(2 * SECOND);
    bad.accept();
    bad.leave();
    mesh.runFor(2 * SECOND);
    const tried = mesh.task(task.id).attempts.map(({ peer_id: id, state }) => [id, state]);
    expect(tried).toEqual([
      [good.id, "failed"],
      [bad.id, "lost"],
      [good.id, "offered"],
    ]);
  });

  test("AS3 ties between peers are broken at random", () => {
    const chosen = new Set<string | null>();
    for (let seed = 1; seed <= 20; seed++) {
      const mesh = new TestMesh({ seed });
      mesh.join(A);
      mesh.join(B);
      chosen.add(mesh.submit().peer_id);
    }
    expect(chosen).toEqual(new Set([A.id, B.id]));
  });

  test("AS4 a peer without Muster's messages gets only kinds that are go-p2p requests", () => {
    const mesh = new TestMesh();
    const plain = mesh.join(A, { speaksMuster: false, kinds: GO_P2P_KINDS });
    mesh.submit({ kind: "echo" });
    mesh.submit({ kind: "go-p2p/ping" });
    expect(plain.offers).toEqual([]);
    const task = mesh.submit({ kind: "go-p2p/get_stats" });
    expect(taskIds(plain)).toEqual([task.id]);
  });
});

describe("offering queued tasks", () => {
  const unassignable = { kind: "echo", priority: 9, requirements: { capabilities: ["gpu"] } };

  test("AS5 queued tasks are offered by priority, then by age", () => {
    const mesh = new TestMesh();
    const ids = [0, 5, -1, 5, 0].map((priority) => mesh.submit({ kind: "echo", priority }).id);
    const peer = mesh.join(A, { slots: 4, prefetch: true });
    expect(taskIds(peer)).toEqual([1, 3, 0, 4, 2].map((i) => ids[i]));
  });

  test("AS5 a task that no peer can run does not block the tasks behind it", () => {
    const mesh = new TestMesh();
    const hard = mesh.submit(unassignable);
    const easy = mesh.submit();
    expect(taskIds(mesh.join(A))).toEqual([easy.id]);
    expect(taskIds(mesh.join(B, { capabilities: ["gpu"] }))).toEqual([hard.id]);
  });

  test("AS5 any number of tasks that no peer can run do not block the tasks behind them", () => {
    const mesh = new TestMesh();
    mesh.fillQueue(1_200, unassignable);
    const easy = [mesh.submit().id, mesh.submit().id];
    expect(taskIds(mesh.join(A, { slots: 2 }))).toEqual(easy);
  });

  test("AS5 a queued task is offered as soon as a peer finishes, fails or refuses another", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const ids = [mesh.submit(), mesh.submit(), mesh.submit(), mesh.submit()].map(({ id }) => id);
    peer.finish();
    peer.fail();
    peer.refuse();
    expect(taskIds(peer)).toEqual(ids);
  });

  test("AS5 a queued task is offered as soon as the task that a peer holds is cancelled", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const ids = [mesh.submit(), mesh.submit()].map(({ id }) => id);
    mesh.run("cancel_task", { id: peer.offer.task_id, visibleTo: null });
    expect(taskIds(peer)).toEqual(ids);
  });

  test("AS5 a task is offered to another peer as soon as its peer disconnects, is revoked or is forgotten", () => {
    for (const end of ["leave", "revoke_peer", "forget_peer"] as const) {
      const mesh = new TestMesh();
      const peer = mesh.join(A);
      const task = mesh.submit();
      const other = mesh.join(B);
      if (end === "leave") peer.leave();
      else mesh.run(end, { id: peer.id });
      expect(taskIds(other), end).toEqual([task.id]);
    }
  });

  test("AS5 a queued task is offered as soon as a peer's score has risen enough", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { rttMs: 1_000 });
    const task = mesh.submit({ kind: "echo", requirements: { min_score: 0.6 } });
    expect(peer.offers).toEqual([]);
    peer.observe("answered", 10);
    expect(peer.view.score).toBeGreaterThan(0.6);
    expect(taskIds(peer)).toEqual([task.id]);
  });

  test("AS5 a queued task that no event triggers is offered by a sweep within a minute", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit();
    peer.refuse();
    mesh.runFor(2 * MINUTE);
    expect(peer.offers.length).toBeGreaterThan(1);
  });
});
