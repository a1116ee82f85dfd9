import { describe, expect, test } from "vitest";
import { exactJsonOf } from "../../../src/base/json-text/json-text.ts";
import { HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import {
  ACCEPT_TIMEOUT,
  RETRY_BACKOFF_MAX_DEFAULT,
  TASK_RESULT_BYTES_MAX,
} from "../../../src/protocol/constants.ts";
import { present } from "../../must.ts";
import { KEYS, START, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

/** A mesh with one peer to which one task is offered. */
function meshWithOfferedTask(task: Parameters<TestMesh["submit"]>[0] = { kind: "echo" }) {
  const mesh = new TestMesh();
  const peer = mesh.join(A);
  return { mesh, peer, id: mesh.submit(task).id };
}

const attemptStates = (mesh: TestMesh, id: string): string[] =>
  mesh.task(id).attempts.map(({ state }) => state);

/** Sends every message about the attempt, each of which must fail, and returns the error codes. */
function errorCodes(mesh: TestMesh, claim: ReturnType<TestPeer["attempt"]>): Set<string> {
  const { peerId, epoch, taskId: task_id, fence } = claim;
  const won = { task_id, fence, ok: true, result: exactJsonOf("late") } as const;
  const lost = { task_id, fence, ok: false, error: "late", retry: false } as const;
  const errors = [
    mesh.errorOf("accept_task", claim),
    mesh.errorOf("refuse_task", { ...claim, reason: "late" }),
    mesh.errorOf("progress_task", { ...claim, progress: 0.9 }),
    mesh.errorOf("finish_task", { peerId, epoch, outcome: won }),
    mesh.errorOf("finish_task", { peerId, epoch, outcome: lost }),
  ];
  return new Set(errors.map(({ code }) => code));
}

const LEASE_LOST = new Set(["lease_lost"]);

describe("an offer", () => {
  test("AS6 a refused offer goes to another peer at once and does not count as an attempt", () => {
    const { mesh, peer, id } = meshWithOfferedTask({ kind: "echo", max_attempts: 1 });
    const other = mesh.join(B);
    peer.refuse("no disk left");
    expect(other.offer).toMatchObject({ task_id: id, fence: 2, attempt: 1 });
    expect(mesh.task(id).attempts).toMatchObject([
      { state: "refused", error: "refused: no disk left" },
      { state: "offered", peer_id: other.id },
    ]);
  });

  test("AS6 an offer that is not accepted within 5 s goes to another peer and does not count as an attempt", () => {
    const { mesh, peer, id } = meshWithOfferedTask({ kind: "echo", max_attempts: 1 });
    const other = mesh.join(B);
    mesh.advanceClock(ACCEPT_TIMEOUT - 1);
    mesh.tick();
    expect(other.offers).toEqual([]);
    mesh.advanceClock(1);
    mesh.tick();
    expect(other.offer).toMatchObject({ task_id: id, attempt: 1 });
    expect(attemptStates(mesh, id)).toEqual(["unanswered", "offered"]);
    other.accept();
    expect(mesh.errorOf("accept_task", peer.attempt()).code).toBe("lease_lost");
  });

  test("AS6 an offer that the session did not receive goes to another peer at once", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    const other = mesh.join(B);
    mesh.run("offer_failed", { ...peer.attempt(), reason: "no answer", session: "unknown" });
    expect(other.offer).toMatchObject({ task_id: id, fence: 2, attempt: 1 });
    expect(peer.view).toMatchObject({ connected: true, tasks: 0 });
  });

  test("AS6 an offer to a session that no longer exists makes the peer stale", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    mesh.run("offer_failed", { ...peer.attempt(), reason: "gone", session: "gone" });
    expect(peer.view).toMatchObject({ state: "stale", tasks: 0 });
    expect(mesh.task(id)).toMatchObject({ state: "queued", peer_id: null });
  });

  test("AS6 an offer that failed at an older session goes to the newer one, which stays connected", () => {
    const { mesh, peer } = meshWithOfferedTask();
    const claim = peer.attempt();
    peer.join();
    mesh.run("offer_failed", { ...claim, reason: "gone", session: "gone" });
    expect(peer.view).toMatchObject({ connected: true, tasks: 1 });
    expect(peer.offer).toMatchObject({ task_id: claim.taskId, fence: 2 });
  });

  test("AS6 a late delivery failure does not undo an offer that the peer has accepted", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    peer.accept();
    mesh.run("offer_failed", { ...peer.attempt(), reason: "no answer", session: "unknown" });
    expect(mesh.task(id).state).toBe("running");
  });

  test("LV17 an offer that reached no session is no refusal: the task survives any number of vanished sessions", () => {
    const { mesh, peer, id } = meshWithOfferedTask({
      kind: "echo",
      max_attempts: 1,
      deadline_seconds: 86_400,
    });
    for (let offers = 1; offers <= 500; offers++) {
      expect(peer.offer.fence).toBe(offers);
      mesh.run("offer_failed", { ...peer.attempt(), reason: "gone", session: "gone" });
      peer.join();
    }
    const attempts = mesh.registry.attempts.of(id);
    expect(attempts.map(({ fence }) => fence)).toEqual(
      Array.from({ length: 200 }, (_, n) => n + 302),
    );
    peer.refuse("busy");
    expect(mesh.task(id).state).toBe("queued");
    mesh.advanceClock(MINUTE);
    mesh.tick();
    peer.accept();
    peer.finish();
    expect(mesh.task(id).state).toBe("succeeded");
  });

  test("AS64 refusals never fail a task: its peer is asked again after a pause that doubles up to an hour", () => {
    const { mesh, peer } = meshWithOfferedTask({ kind: "echo" });
    // A peer that never did the kind would rest for it (BR3).
    peer.finish();
    const { id } = mesh.submit({ kind: "echo", deadline_seconds: 2_592_000 });
    peer.offers.shift();
    const asked: number[] = [];
    for (let offers = 1; offers <= 100; offers++) {
      expect(peer.offer.fence).toBe(offers);
      asked.push(mesh.now);
      peer.refuse("never");
      while (peer.offers.length === offers)
        mesh.runFor(Math.max(1, present(mesh.nextTick()) - mesh.now));
    }
    const pauses = asked.slice(1).map((at, n) => at - (asked[n] ?? 0));
    expect(pauses.slice(0, 6).map((ms) => Math.floor(ms / MINUTE))).toEqual([1, 2, 4, 8, 16, 32]);
    for (const ms of pauses.slice(6)) expect(Math.floor(ms / HOUR)).toBe(1);
    expect(mesh.task(id)).toMatchObject({ state: "leased", attempts_used: 0, interruptions: 0 });
    expect(attemptStates(mesh, id)).toEqual(["refused", "offered"]);
  });

  test("AS64 the history of a task that many peers refuse stays bounded", () => {
    const { mesh, peer, id } = meshWithOfferedTask({ kind: "echo", deadline_seconds: 86_400 });
    for (let offers = 1; offers <= 100; offers++) {
      mesh.run("offer_failed", { ...peer.attempt(), reason: "no answer", session: "unknown" });
    }
    expect(mesh.registry.attempts.of(id).length).toBeLessThanOrEqual(200);
  });
});

describe("the fence of an attempt", () => {
  test("AS7 each attempt has a fence that is one higher, however the attempt before it ended", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    peer.refuse();
    mesh.advanceClock(MINUTE);
    mesh.tick();
    peer.fail();
    mesh.advanceClock(MINUTE);
    mesh.tick();
    expect(peer.offers.map(({ fence }) => fence)).toEqual([1, 2, 3]);
    expect(mesh.task(id).attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test("AS7 messages with an older fence get lease_lost and change nothing", () => {
    const { mesh, peer } = meshWithOfferedTask({ kind: "echo", lease_seconds: 10 });
    const older = peer.attempt();
    peer.accept();
    mesh.advanceClock(10 * SECOND);
    mesh.tick();
    mesh.advanceClock(SECOND);
    mesh.tick();
    expect(peer.offer.fence).toBe(2);
    expect(mesh.errorOf("progress_task", { ...older, progress: 0.9 }).code).toBe("lease_lost");
    peer.accept();
    expect(errorCodes(mesh, older)).toEqual(LEASE_LOST);
  });

  test("AS7 messages with the current fence from another peer get lease_lost and change nothing", () => {
    const { mesh, peer } = meshWithOfferedTask();
    const other = mesh.join(B);
    peer.accept();
    expect(errorCodes(mesh, { ...peer.attempt(), peerId: other.id })).toEqual(LEASE_LOST);
  });

  test("AS7 messages with a fence that was never issued get lease_lost", () => {
    const { mesh, peer } = meshWithOfferedTask();
    expect(errorCodes(mesh, { ...peer.attempt(), fence: 2 })).toEqual(LEASE_LOST);
  });

  test("AS7 messages about a task that no peer holds get lease_lost", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    const claim = peer.attempt();
    peer.leave();
    expect(mesh.task(id).state).toBe("queued");
    expect(errorCodes(mesh, claim)).toEqual(LEASE_LOST);
  });

  test("AS7 messages about an unknown task get not_found", () => {
    const { mesh, peer } = meshWithOfferedTask();
    const claim = { ...peer.attempt(), taskId: "00000000-0000-4000-8000-000000000000" };
    expect(errorCodes(mesh, claim)).toEqual(new Set(["not_found"]));
  });
});

describe("a lease", () => {
  test("AS8 a lease begins when the offer is accepted, and the attempt has timed out when the lease expires at a peer that answers", () => {
    const { mesh, peer, id } = meshWithOfferedTask({ kind: "echo", lease_seconds: 20 });
    mesh.advanceClock(4 * SECOND);
    peer.accept();
    mesh.advanceClock(20 * SECOND - 1);
    mesh.tick();
    expect(mesh.task(id).state).toBe("running");
    mesh.advanceClock(1);
    mesh.tick();
    expect(mesh.task(id)).toMatchObject({ state: "queued", peer_id: null, progress: null });
    expect(attemptStates(mesh, id)).toEqual(["timed_out"]);
    expect(mesh.task(id)).toMatchObject({ attempts_used: 1, interruptions: 0 });
    expect(peer.view).toMatchObject({ tasks: 0, failures: 1 });
  });

  test("AS8 progress renews a lease, with or without a value", () => {
    const { mesh, peer, id } = meshWithOfferedTask({ kind: "echo", lease_seconds: 20 });
    peer.accept();
    for (const progress of [0.5, null, null]) {
      mesh.advanceClock(19 * SECOND);
      peer.progress(progress);
      mesh.tick();
    }
    expect(mesh.task(id)).toMatchObject({ state: "running", progress: 0.5 });
  });

  test("AS8 progress without an acceptance before it also starts the lease", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    peer.progress(0.1);
    mesh.runFor(10 * SECOND);
    expect(mesh.task(id)).toMatchObject({ state: "running", progress: 0.1 });
    expect(attemptStates(mesh, id)).toEqual(["running"]);
  });

  test("AS8 a task whose lease expired is offered to another peer", () => {
    const { mesh, peer, id } = meshWithOfferedTask({ kind: "echo", lease_seconds: 5 });
    peer.accept();
    const other = mesh.join(B, { rttMs: 900 });
    mesh.runFor(7 * SECOND);
    expect(other.offer).toMatchObject({ task_id: id, fence: 2, attempt: 2 });
  });
});

describe("a failed attempt", () => {
  test("AS9 a failed attempt is repeated after a pause, until max_attempts is reached", () => {
    const { mesh, peer, id } = meshWithOfferedTask({ kind: "echo", max_attempts: 3 });
    for (const attempt of [1, 2]) {
      expect(peer.offer.attempt).toBe(attempt);
      peer.fail(`failure ${attempt}`);
      expect(mesh.task(id)).toMatchObject({ state: "queued", error: `failure ${attempt}` });
      mesh.tick();
      expect(peer.offers).toHaveLength(attempt);
      mesh.advanceClock(RETRY_BACKOFF_MAX_DEFAULT);
      mesh.tick();
      expect(peer.offers).toHaveLength(attempt + 1);
    }
    peer.fail("failure 3");
    expect(mesh.task(id)).toMatchObject({ state: "failed", error: "failure 3", peer_id: peer.id });
    expect(attemptStates(mesh, id)).toEqual(["failed", "failed", "failed"]);
    mesh.runFor(HOUR);
    expect(peer.offers).toHaveLength(3);
  });

  test("AS9 the alarm is set to the end of the pause after a failed attempt", () => {
    const { mesh, peer } = meshWithOfferedTask();
    peer.fail();
    mesh.runFor(SECOND);
    expect(peer.offers).toHaveLength(2);
  });

  test("AS9 an attempt whose lease ends at a peer that answers counts like a failed one", () => {
    const { mesh, peer, id } = meshWithOfferedTask({
      kind: "echo",
      max_attempts: 2,
      lease_seconds: 1,
    });
    for (const attempt of [1, 2]) {
      expect(peer.offer.attempt).toBe(attempt);
      peer.accept();
      mesh.runFor(3 * SECOND);
    }
    expect(mesh.task(id)).toMatchObject({ state: "failed", attempts_used: 2, interruptions: 0 });
  });

  test("AS9 an attempt that the peer had not started when it disconnected does not count", () => {
    const { peer, id } = meshWithOfferedTask({ kind: "echo", max_attempts: 1 });
    peer.leave();
    peer.join();
    expect(peer.offer).toMatchObject({ task_id: id, fence: 2, attempt: 1 });
    expect(peer.view.failures).toBe(0);
  });

  test("AS9 an attempt that fails without retry fails the task at once", () => {
    const { mesh, peer, id } = meshWithOfferedTask({ kind: "echo", max_attempts: 5 });
    peer.fail("no such file", false);
    expect(mesh.task(id)).toMatchObject({ state: "failed", error: "no such file" });
  });

  test("AS9 a result over the size limit fails the task at once", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    peer.finish("x".repeat(TASK_RESULT_BYTES_MAX - 1));
    expect(mesh.task(id)).toMatchObject({ state: "failed", result: null });
    const fits = mesh.submit();
    peer.finish("x".repeat(TASK_RESULT_BYTES_MAX - 2));
    expect(mesh.task(fits.id).state).toBe("succeeded");
  });

  test("AS9 the limit of a result is counted in bytes, not in characters", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    peer.finish("é".repeat(TASK_RESULT_BYTES_MAX / 2));
    expect(mesh.task(id).state).toBe("failed");
  });
});

describe("a result", () => {
  test("AS10 a result ends its task and counts as a success of the peer", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    peer.accept();
    peer.progress(0.4);
    mesh.advanceClock(SECOND);
    peer.finish({ lines: 42 });
    expect(mesh.task(id)).toMatchObject({
      state: "succeeded",
      result: { lines: 42 },
      error: null,
      progress: 1,
      peer_id: peer.id,
      ended_at: new Date(START + SECOND).toISOString(),
      attempts: [{ state: "succeeded", error: null }],
    });
    expect(peer.view).toMatchObject({ successes: 1, failures: 0, tasks: 0 });
    expect(mesh.effectsOfType("task_ended")).toEqual([{ type: "task_ended", taskId: id }]);
  });

  test("AS10 a result is committed once: later messages about the attempt change nothing", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    peer.finish("first");
    const committed = mesh.contents();
    const claim = peer.attempt();
    expect(mesh.errorOf("accept_task", claim).code).toBe("lease_lost");
    expect(mesh.errorOf("refuse_task", { ...claim, reason: "late" }).code).toBe("lease_lost");
    expect(mesh.errorOf("progress_task", { ...claim, progress: 0.9 }).code).toBe("lease_lost");
    expect(mesh.errorOf("finish_task", peer.failureInput("late")).code).toBe("lease_lost");
    expect(mesh.contents()).toEqual(committed);
    expect(mesh.task(id)).toMatchObject({ state: "succeeded", result: "first" });
  });

  test.each([
    ["result", (peer: TestPeer) => peer.successInput("done")],
    ["failure", (peer: TestPeer) => peer.failureInput("no paper")],
  ])(
    "AS10 a %s that its peer sends again is answered as before, and changes nothing",
    (_, input) => {
      const { mesh, peer } = meshWithOfferedTask();
      mesh.run("finish_task", input(peer));
      const recorded = mesh.contents();
      mesh.run("finish_task", input(peer));
      expect(mesh.contents()).toEqual(recorded);
      const other = mesh.join(B);
      const foreign = { ...input(peer), peerId: B.id, epoch: other.epoch };
      expect(mesh.errorOf("finish_task", foreign).code).toBe("lease_lost");
    },
  );

  test("AS10 a result is accepted without an acceptance before it", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    peer.finish(null);
    expect(mesh.task(id)).toMatchObject({ state: "succeeded", result: null });
  });

  test("AS10 a result clears the task's error, but not the errors of earlier attempts", () => {
    const { mesh, peer, id } = meshWithOfferedTask();
    peer.fail("the first time");
    mesh.runFor(SECOND);
    peer.finish();
    expect(mesh.task(id)).toMatchObject({
      error: null,
      attempts: [{ error: "the first time" }, { error: null }],
    });
  });
});
