import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../src/base/clock.ts";
import { ACCEPT_TIMEOUT, RETURN_GRACE } from "../../../src/protocol/constants.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B, C] = KEYS;

const states = (mesh: TestMesh, id: string): string[] =>
  mesh.task(id).attempts.map(({ state }) => state);

/** Lets time pass until the peer gets the next offer. */
function awaitOffer(mesh: TestMesh, peer: TestPeer): void {
  const { length } = peer.offers;
  while (peer.offers.length === length) mesh.runFor(100);
}

/** The peer falls silent: it does not answer a ping. */
const fallSilent = (peer: TestPeer): void => void peer.observe("missed_answer");

describe("begun work that infrastructure ends", () => {
  test("AS65 has a budget of its own: under churn a task outlives any number of goodbyes up to it", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", max_attempts: 1, deadline_seconds: 86_400 });
    for (let losses = 1; losses <= 20; losses++) {
      expect(peer.offer.attempt).toBe(losses);
      peer.accept();
      peer.leave("goodbye");
      peer.join();
      awaitOffer(mesh, peer);
    }
    expect(mesh.task(id)).toMatchObject({ state: "leased", attempts_used: 0, interruptions: 20 });
    peer.accept();
    peer.leave("goodbye");
    expect(mesh.task(id)).toMatchObject({
      state: "failed",
      error: "interrupted 21 times, the last time because: goodbye",
    });
  });

  test("AS65 a lease that ends while its peer is silent is an interruption; at a peer that answers it is an attempt", () => {
    const mesh = new TestMesh();
    const silent = mesh.join(A);
    const lost = mesh.submit({ kind: "echo", lease_seconds: 10 });
    silent.accept();
    const answering = mesh.join(B);
    const hung = mesh.submit({ kind: "echo", lease_seconds: 10 });
    answering.accept();
    fallSilent(silent);
    mesh.advanceClock(10 * SECOND);
    mesh.tick();
    expect(mesh.task(lost.id)).toMatchObject({ attempts_used: 0, interruptions: 1 });
    expect(mesh.task(hung.id)).toMatchObject({ attempts_used: 1, interruptions: 0 });
    expect([states(mesh, lost.id)[0], states(mesh, hung.id)[0]]).toEqual(["lost", "timed_out"]);
  });

  test("AS65 an interrupted task pauses longer each time, since it may be what stops its peers", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", deadline_seconds: 86_400 });
    const pauses: number[] = [];
    for (let losses = 1; losses <= 8; losses++) {
      peer.accept();
      peer.leave("crash");
      pauses.push(Date.parse(mesh.task(id).not_before) - mesh.now);
      peer.join();
      awaitOffer(mesh, peer);
    }
    pauses.forEach((pause, n) => {
      const longest = Math.min(MINUTE, 500 * 2 ** n);
      expect(pause).toBeGreaterThanOrEqual(longest / 2);
      expect(pause).toBeLessThanOrEqual(longest);
    });
  });
});

describe("an attempt's timeout", () => {
  test("AS66 ends it whatever its heartbeats say, stops its peer, and counts as the peer's timeout", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = { kind: "echo", lease_seconds: 10, attempt_timeout_seconds: 60, max_attempts: 2 };
    const { id } = mesh.submit(task);
    expect(peer.offer.attempt_timeout_seconds).toBe(60);
    mesh.runFor(3 * SECOND);
    peer.accept();
    for (let at = 0; at < 56; at += 8) {
      mesh.runFor(8 * SECOND);
      peer.progress();
    }
    expect(mesh.task(id).state).toBe("running");
    mesh.runFor(4 * SECOND);
    expect(mesh.task(id)).toMatchObject({
      attempts_used: 1,
      attempts: [{ state: "timed_out", error: "the attempt took longer than 60 s" }],
    });
    expect(peer.cancelled).toMatchObject([{ taskId: id, fence: 1 }]);
    expect(peer.view.failures).toBe(1);
  });

  test("AS66 counts from the beginning of the work, not while the task waits at its peer for a slot", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 1, prefetch: true });
    mesh.submit({ kind: "echo", lease_seconds: 600 });
    peer.accept();
    const task = { kind: "echo", lease_seconds: 10, attempt_timeout_seconds: 30 };
    const { id } = mesh.submit(task);
    peer.accept(true);
    for (let at = 0; at < 60; at += 5) {
      mesh.runFor(5 * SECOND);
      mesh.run("progress_task", { ...peer.attempt(), progress: null, queued: true });
    }
    expect(states(mesh, id)).toEqual(["prefetched"]);
    peer.accept();
    mesh.runFor(9 * SECOND);
    expect(mesh.task(id).state).toBe("running");
  });

  test("AS66 a peer that returns after it does not resume the attempt", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit({ kind: "echo", lease_seconds: 10, attempt_timeout_seconds: 20 });
    peer.accept();
    fallSilent(peer);
    mesh.runFor(21 * SECOND);
    expect(mesh.errorOf("finish_task", peer.successInput("late")).code).toBe("lease_lost");
  });
});

describe("begun work and newer offers", () => {
  /** A begun the task and fell silent; the mesh has offered it to B. */
  function offeredAgain() {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", lease_seconds: 5 });
    peer.accept();
    const claim = peer.offer;
    fallSilent(peer);
    mesh.runFor(5 * SECOND);
    const other = mesh.join(B);
    mesh.runFor(SECOND);
    expect(other.offer).toMatchObject({ task_id: id, fence: 2 });
    return { mesh, peer, other, id, claim };
  }

  test("AS63 a result is taken while nobody else has accepted, and the offer is taken back", () => {
    const { mesh, peer, other, id, claim } = offeredAgain();
    mesh.run("finish_task", peer.successInput("made in time", claim));
    expect(mesh.task(id)).toMatchObject({ state: "succeeded", result: "made in time" });
    expect(states(mesh, id)).toEqual(["succeeded", "reclaimed"]);
    expect(other.cancelled).toMatchObject([{ taskId: id, fence: 2 }]);
    expect([peer.view.tasks, other.view.tasks]).toEqual([0, 0]);
  });

  test("AS63 progress resumes the attempt, which costs the task nothing", () => {
    const { mesh, peer, other, id, claim } = offeredAgain();
    mesh.run("progress_task", { ...peer.attempt(claim), progress: 0.5 });
    expect(mesh.task(id)).toMatchObject({ state: "running", peer_id: A.id, interruptions: 0 });
    expect(mesh.errorOf("accept_task", other.attempt()).code).toBe("lease_lost");
    fallSilent(peer);
    mesh.runFor(7 * SECOND);
    expect(other.offer).toMatchObject({ task_id: id, fence: 3 });
  });

  test("AS63 a result is refused once another peer has begun the task", () => {
    const { mesh, peer, other, id, claim } = offeredAgain();
    other.accept();
    expect(mesh.errorOf("finish_task", peer.successInput("late", claim)).code).toBe("lease_lost");
    other.finish("the other's");
    expect(mesh.task(id).result).toBe("the other's");
  });

  test("AS63 any number of offers that nobody accepted, or that were refused, void nothing", () => {
    const { mesh, peer, other, id, claim } = offeredAgain();
    other.refuse("busy");
    const third = mesh.join(C);
    mesh.runFor(RETURN_GRACE);
    expect(third.offer).toMatchObject({ task_id: id, fence: 3 });
    mesh.runFor(ACCEPT_TIMEOUT);
    expect(states(mesh, id)).toEqual(["lost", "refused", "unanswered"]);
    mesh.run("finish_task", peer.successInput("made in time", claim));
    expect(mesh.task(id)).toMatchObject({ state: "succeeded", result: "made in time" });
  });

  test("AS63 a peer that accepts an unanswered offer late begins the task, unless another's work may return", () => {
    const mesh = new TestMesh();
    const late = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", lease_seconds: 5 });
    mesh.runFor(ACCEPT_TIMEOUT);
    expect(states(mesh, id)).toEqual(["unanswered"]);
    late.accept();
    expect(mesh.task(id).state).toBe("running");

    const { mesh: partitioned, other, id: begun } = offeredAgain();
    partitioned.runFor(ACCEPT_TIMEOUT);
    expect(states(partitioned, begun)).toEqual(["lost", "unanswered"]);
    expect(partitioned.errorOf("accept_task", other.attempt()).code).toBe("lease_lost");
  });

  test("AS63 silence bars a peer from nothing once it is heard again", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo" });
    mesh.runFor(ACCEPT_TIMEOUT);
    expect(peer.view.state).toBe("suspect");
    peer.observe("answered");
    expect(peer.offer).toMatchObject({ task_id: id, fence: 2 });
  });

  test("AS63 a peer that returns first from a partition does not get the others' work, if they return within 5 s", () => {
    const mesh = new TestMesh();
    const peers = [A, B, C].map((key) => mesh.join(key));
    const tasks = peers.map(() => mesh.submit({ kind: "echo", lease_seconds: 10 }));
    const claims = peers.map((peer) => ({ peer, claim: peer.offer, runs: peer.offers.length }));
    for (const peer of peers) peer.accept();
    for (const peer of peers) peer.leave("silent", true);
    mesh.runFor(40 * SECOND);
    for (const { peer, claim } of claims) {
      peer.join({ held: [{ task_id: claim.task_id, fence: claim.fence }] });
      mesh.runFor(SECOND);
    }
    for (const { peer, runs } of claims) expect(peer.offers).toHaveLength(runs);
    for (const { peer, claim } of claims) mesh.run("finish_task", peer.successInput("once", claim));
    for (const { id } of tasks) expect(mesh.task(id).state).toBe("succeeded");
  });

  test("AS63 a peer that reconnects with its work goes on, also if the task was offered to an earlier session of it", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", backoff: { first_seconds: 0 } });
    peer.accept();
    const { task_id, fence } = peer.offer;
    peer.leave("gone");
    peer.join();
    mesh.runFor(SECOND);
    expect(peer.offer).toMatchObject({ task_id: id, fence: 2 });
    peer.join({ held: [{ task_id, fence }] });
    expect(mesh.task(id)).toMatchObject({ state: "running", peer_id: A.id, interruptions: 0 });
    expect(states(mesh, id)).toEqual(["running", "reclaimed"]);
    expect(peer.cancelled).toEqual([]);
    mesh.run("finish_task", peer.successInput("once", { ...peer.offer, task_id, fence }));
    expect(mesh.task(id)).toMatchObject({ state: "succeeded", result: "once" });
  });

  test("AS63 a task whose peer does not return goes to a peer that has connected since, after 5 s; and to others at once", () => {
    const mesh = new TestMesh();
    const lost = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", backoff: { first_seconds: 0 } });
    lost.accept();
    lost.leave("gone");
    mesh.runFor(SECOND);
    const newer = mesh.join(B);
    mesh.runFor(4 * SECOND);
    expect(newer.offers).toEqual([]);
    mesh.runFor(SECOND);
    expect(newer.offer.task_id).toBe(id);
  });
});
