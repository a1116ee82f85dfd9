import { describe, expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import type { SubmitTaskInput } from "../../../src/protocol/http.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

/** A peer that has done tasks of a kind in 10 s each. */
function experienced(): { readonly mesh: TestMesh; readonly peer: TestPeer } {
  const mesh = new TestMesh();
  const peer = mesh.join(A, { slots: 1, prefetch: true });
  for (let n = 0; n < 4; n++) {
    mesh.submit();
    peer.accept();
    mesh.runFor(10 * SECOND);
    peer.finish();
  }
  return { mesh, peer };
}

/** The failures and timeouts that count against a peer. */
const bad = ({ mesh, id }: TestPeer): number => {
  const { failures, timeouts } = mesh.registry.observed.get(id)?.outcomes ?? {};
  return (failures ?? 0) + (timeouts ?? 0);
};

/** Keeps the newest offer alive by progress for so long. */
function progressFor(peer: TestPeer, ms: number): void {
  for (let at = 0; at < ms; at += 5 * SECOND) {
    peer.mesh.attempt("progress_task", { ...peer.attempt(), progress: 0.5 });
    peer.mesh.runFor(Math.min(5 * SECOND, ms - at));
  }
}

describe("a task that its peer has begun and not done", () => {
  const ways: [string, SubmitTaskInput, (peer: TestPeer, id: string) => void][] = [
    ["its deadline", { kind: "echo", deadline_seconds: 60 }, (peer) => progressFor(peer, MINUTE)],
    [
      "its attempt timeout",
      { kind: "echo", attempt_timeout_seconds: 60 },
      (peer) => progressFor(peer, MINUTE),
    ],
    [
      "its caller",
      { kind: "echo" },
      (peer, id) => {
        progressFor(peer, MINUTE);
        peer.mesh.run("cancel_task", { id, visibleTo: null });
      },
    ],
    [
      "a peer that gives it up and stays",
      { kind: "echo" },
      (peer) => {
        progressFor(peer, MINUTE);
        peer.mesh.run("release_task", { ...peer.attempt(), reason: "no", begun: true });
      },
    ],
  ];

  test.each(ways)("AS120 counts as a timeout of its peer when %s ends it", (_, task, end) => {
    const { mesh, peer } = experienced();
    const { score } = peer.view;
    const { id } = mesh.submit(task);
    peer.accept();
    end(peer, id);
    expect(bad(peer)).toBeCloseTo(1, 1);
    expect(peer.view.score).toBeLessThan(score);
    expect(mesh.registry.circuits.get(A.id, "echo").failuresInRow).toBe(1);
  });

  test.each([
    ["deadlines", { kind: "echo", deadline_seconds: 1, requirements: { peer_id: A.id } }],
    [
      "attempt timeouts",
      {
        kind: "echo",
        attempt_timeout_seconds: 1,
        max_attempts: 1,
        requirements: { peer_id: A.id },
      },
    ],
  ] satisfies [string, SubmitTaskInput][])(
    "AS120 says nothing about a peer when %s of a second end tasks of a kind that takes 10 s",
    (_, task) => {
      const { mesh, peer } = experienced();
      const { score } = peer.view;
      for (let n = 0; n < 50; n++) {
        mesh.submit(task);
        peer.accept();
        mesh.runFor(2 * SECOND);
      }
      expect(bad(peer)).toBe(0);
      expect(peer.view.circuits ?? []).toEqual([]);
      expect(peer.view.score).toBeGreaterThan(score - 0.01);
    },
  );

  test("AS120 is taken back, when a second peer fails at it, by no more than was counted", () => {
    const { mesh, peer } = experienced();
    mesh.submit({ kind: "echo", attempt_timeout_seconds: 10 });
    peer.accept();
    const other = mesh.join(B);
    mesh.runFor(12 * SECOND);
    const counted = bad(peer);
    expect(counted).toBeCloseTo(0.2, 1);
    other.accept();
    other.fail();
    expect(bad(peer)).toBeGreaterThan(0);
    expect(bad(peer)).toBeLessThan(counted);
  });

  test("DR4 counts nothing when its peer has said that it leaves", () => {
    const { mesh, peer } = experienced();
    mesh.submit();
    peer.accept();
    progressFor(peer, 20 * SECOND);
    mesh.run("peer_drains", { peerId: A.id, epoch: peer.epoch });
    mesh.run("release_task", { ...peer.attempt(), reason: "it leaves", begun: true });
    expect(bad(peer)).toBe(0);
  });

  test("AS120 counts in full when its peer leaves after much more than the usual time", () => {
    const { mesh, peer } = experienced();
    mesh.submit();
    peer.accept();
    progressFor(peer, MINUTE);
    mesh.run("peer_drains", { peerId: A.id, epoch: peer.epoch });
    mesh.run("release_task", { ...peer.attempt(), reason: "it leaves", begun: true });
    expect(bad(peer)).toBeCloseTo(1, 1);
  });
});

describe("a task that its peer does not begin", () => {
  const stillQueued = (peer: TestPeer) =>
    peer.mesh.run("progress_task", { ...peer.attempt(), progress: null, queued: true });

  test("AS121 is taken from a peer with a free slot after a minute, as one that it refused", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 1, prefetch: true });
    const { id } = mesh.submit();
    peer.accept(true);
    for (let second = 0; second < 60; second += 5) {
      mesh.runFor(5 * SECOND);
      stillQueued(peer);
    }
    expect(mesh.task(id)).toMatchObject({ state: "queued", attempts_used: 0 });
    expect(peer.cancelled).toMatchObject([{ taskId: id }]);
    expect(mesh.join(B).offer.task_id).toBe(id);
  });

  test("AS121 waits for a slot that is in use for an hour", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 1, prefetch: true });
    mesh.submit({ kind: "echo", deadline_seconds: 86_400, attempt_timeout_seconds: 86_400 });
    const first = peer.offer;
    peer.accept();
    const { id } = mesh.submit({ kind: "echo", deadline_seconds: 86_400 });
    const second = peer.offer;
    peer.accept(true);
    for (let at = 0; at < HOUR; at += 30 * SECOND) {
      expect(mesh.task(id).attempts.map(({ state }) => state)).toEqual(["prefetched"]);
      mesh.runFor(30 * SECOND);
      mesh.run("progress_task", { ...peer.attempt(first), progress: null });
      mesh.run("progress_task", { ...peer.attempt(second), progress: null, queued: true });
    }
    expect(mesh.task(id).attempts[0]?.state).toBe("reclaimed");
  });

  test("AS122 is taken from a peer that does not answer when it is asked back three times", () => {
    const mesh = new TestMesh();
    const holder = mesh.join(A, { slots: 1, prefetch: true });
    mesh.submit({ kind: "echo", lease_seconds: 600 });
    holder.accept();
    const { id } = mesh.submit({ kind: "echo", lease_seconds: 600 });
    holder.accept(true);
    const free = mesh.join(B, { slots: 1 });
    expect(free.offers).toEqual([]);
    for (let n = 0; n < 4 && free.offers.length === 0; n++) mesh.runFor(MINUTE);
    expect(mesh.effectsOfType("recall")).toHaveLength(3);
    expect(free.offer.task_id).toBe(id);
    expect(holder.cancelled).toMatchObject([{ taskId: id }]);
  });
});
