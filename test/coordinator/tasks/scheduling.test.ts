import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { PRIORITY_MAX, PRIORITY_AGING_STEP } from "../../../src/protocol/constants.ts";
import { queuePositionOf } from "../../../src/tasks/queue-position.ts";
import { present } from "../../must.ts";
import { KEYS, START, submission, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B, C] = KEYS;
const isoTime = (ms: number): string => new Date(START + ms).toISOString();
const taskIds = (peer: TestPeer): string[] => peer.offers.map((offer) => offer.task_id);
const attemptStates = (mesh: TestMesh, id: string): string[] =>
  mesh.task(id).attempts.map(({ state }) => state);

describe("requirements of a task", () => {
  test("AS15 a task is offered to a peer whose labels satisfy the required comparisons", () => {
    const mesh = new TestMesh();
    const small = mesh.join(A, { capabilities: ["gpu=t4", "memory_gib=16"] });
    const requirements = { capabilities: ["gpu", "memory_gib>=40"] };
    const task = mesh.submit({ kind: "echo", requirements });
    expect(small.offers).toEqual([]);
    const big = mesh.join(B, { capabilities: ["gpu=a100", "memory_gib=80"] });
    expect(taskIds(big)).toEqual([task.id]);
  });

  test("AS15 a task is offered only to peers with the required role that it does not list under avoid", () => {
    const mesh = new TestMesh();
    const worker = mesh.join(A);
    const dual = { kind: "echo", requirements: { role: "dual" as const } };
    expect(mesh.submit(dual).peer_id).toBeNull();
    expect(mesh.submit({ kind: "echo", requirements: { avoid: [worker.id] } }).peer_id).toBeNull();
    expect(worker.offers).toEqual([]);
  });
});

describe("a task with not_before", () => {
  test("AS16 a task is first offered at its not_before, and its deadline counts from then", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit({ kind: "echo", not_before: isoTime(HOUR), deadline_seconds: 60 });
    expect(task).toMatchObject({ not_before: isoTime(HOUR), deadline_at: isoTime(HOUR + MINUTE) });
    mesh.runFor(HOUR - 1);
    expect(peer.offers).toEqual([]);
    mesh.runFor(1);
    expect(taskIds(peer)).toEqual([task.id]);
  });

  test("AS16 a task whose not_before has passed is offered at once; one more than 30 days ahead is refused", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit({ kind: "echo", not_before: "2020-01-01T00:00:00+01:00" });
    expect(taskIds(peer)).toEqual([task.id]);
    const late = submission({ kind: "echo", not_before: isoTime(30 * DAY + 1) });
    expect(mesh.errorOf("submit_task", late).code).toBe("invalid_request");
  });

  test("AS16 the pause between attempts follows the task's own backoff", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit({ kind: "echo", backoff: { first_seconds: 30, max_seconds: 40 } });
    peer.fail();
    mesh.runFor(15 * SECOND - 1);
    expect(peer.offers).toHaveLength(1);
    mesh.runFor(15 * SECOND + 1);
    expect(peer.offers).toHaveLength(2);
  });
});

describe("a peer that prefetches", () => {
  /** A peer with one slot, one started task and one prefetched task. */
  function peerWithPrefetchedTask() {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { prefetch: true, rttMs: 1 });
    const first = mesh.submit();
    peer.accept();
    const second = mesh.submit();
    peer.accept(true);
    return { mesh, peer, first, second };
  }

  test("AS17 a prefetching peer gets one task more than it has slots, never two", () => {
    const { mesh, peer, first, second } = peerWithPrefetchedTask();
    const third = mesh.submit();
    expect(taskIds(peer)).toEqual([first.id, second.id]);
    expect(mesh.task(second.id)).toMatchObject({ state: "leased" });
    expect(attemptStates(mesh, second.id)).toEqual(["prefetched"]);
    mesh.run("finish_task", peer.successInput("done", peer.offers[0]));
    expect(taskIds(peer)).toEqual([first.id, second.id, third.id]);
  });

  test("AS17 a prefetching peer does not get a task while another peer has a free slot, whatever the scores", () => {
    const mesh = new TestMesh();
    const highScore = mesh.join(A, { prefetch: true, rttMs: 1 });
    const lowScore = mesh.join(B, { rttMs: 900 });
    mesh.submit();
    mesh.submit();
    expect([highScore.offers.length, lowScore.offers.length]).toEqual([1, 1]);
    mesh.submit();
    expect(highScore.offers).toHaveLength(2);
  });

  /** The peer gives back the task that the mesh has asked for. */
  function giveBack({ mesh, peer }: { mesh: TestMesh; peer: TestPeer }): void {
    const asked = present(mesh.effectsOfType("recall").at(-1));
    const { taskId, fence } = asked;
    expect(asked.to.peerId).toBe(peer.id);
    const claim = peer.attempt({ task_id: taskId, fence });
    mesh.run("release_task", { ...claim, reason: "asked back", begun: false });
  }

  test("AS17 a prefetched task moves to a peer with a free slot when its peer gives it back, and the attempt does not count", () => {
    const { mesh, peer, second } = peerWithPrefetchedTask();
    const other = mesh.join(B);
    expect(other.offers).toEqual([]);
    expect(mesh.effectsOfType("recall")).toMatchObject([{ taskId: second.id, fence: 1 }]);
    giveBack({ mesh, peer });
    expect(other.offer).toMatchObject({ task_id: second.id, fence: 2, attempt: 1 });
    expect(attemptStates(mesh, second.id)).toEqual(["reclaimed", "offered"]);
    expect(peer.view).toMatchObject({ tasks: 1, failures: 0 });
    expect(mesh.errorOf("accept_task", peer.attempt()).code).toBe("lease_lost");
  });

  test("AS17 a task that is asked back and that its peer begins meanwhile stays there", () => {
    const { mesh, peer, second } = peerWithPrefetchedTask();
    const other = mesh.join(B);
    mesh.run("finish_task", peer.successInput("done", peer.offers[0]));
    peer.accept();
    mesh.runFor(10 * SECOND);
    expect(mesh.task(second.id)).toMatchObject({ state: "running", peer_id: peer.id });
    expect(other.offers).toEqual([]);
  });

  test("AS17 as many tasks are asked back as there are free slots, and again when no answer comes", () => {
    const mesh = new TestMesh();
    const busy = [A, C].map((key) => mesh.join(key, { prefetch: true }));
    for (let n = 0; n < 4; n++) mesh.submit();
    for (const peer of busy) {
      mesh.run("accept_task", peer.attempt(peer.offers[0]));
      mesh.run("accept_task", { ...peer.attempt(peer.offers[1]), queued: true });
    }
    mesh.join(B);
    mesh.tick();
    expect(mesh.effectsOfType("recall")).toHaveLength(1);
    mesh.advanceClock(6 * SECOND);
    mesh.tick();
    expect(mesh.effectsOfType("recall")).toHaveLength(2);
  });

  test("AS17 a prefetched task that its peer has started stays there, even if another peer is free", () => {
    const { mesh, peer, second } = peerWithPrefetchedTask();
    mesh.run("finish_task", peer.successInput("done", peer.offers[0]));
    peer.accept();
    const other = mesh.join(B);
    expect(other.offers).toEqual([]);
    expect(mesh.task(second.id)).toMatchObject({ state: "running", peer_id: peer.id });
  });

  test("AS17 a peer renews the lease of a prefetched task by reporting it as queued, and the task does not count as started", () => {
    const { mesh, peer, second } = peerWithPrefetchedTask();
    mesh.advanceClock(50 * SECOND);
    for (const offer of peer.offers)
      mesh.run("progress_task", {
        ...peer.attempt(offer),
        progress: null,
        queued: offer.task_id === second.id,
      });
    mesh.runFor(50 * SECOND);
    expect(mesh.task(second.id)).toMatchObject({ state: "leased", peer_id: peer.id });
    peer.leave();
    expect(attemptStates(mesh, second.id)).toEqual(["reclaimed"]);
  });

  test("AS17 a slot that opens when a prefetched task moves is filled with the next queued task", () => {
    const { mesh, peer, second } = peerWithPrefetchedTask();
    const own = mesh.submit({ kind: "echo", requirements: { peer_id: peer.id } });
    expect(mesh.task(own.id).state).toBe("queued");
    const other = mesh.join(B);
    giveBack({ mesh, peer });
    expect(taskIds(other)).toEqual([second.id]);
    expect(peer.offer.task_id).toBe(own.id);
  });
});

describe("the order of the queue", () => {
  const urgent = { kind: "echo", priority: PRIORITY_MAX };

  test("AS18 one step of priority equals one minute of waiting", () => {
    const mesh = new TestMesh();
    const old = mesh.submit({ kind: "echo", priority: 0 });
    mesh.advanceClock(MINUTE - 1);
    const young = mesh.submit({ kind: "echo", priority: 1 });
    mesh.advanceClock(2);
    const younger = mesh.submit({ kind: "echo", priority: 1 });
    expect(taskIds(mesh.join(A, { slots: 3 }))).toEqual([young.id, old.id, younger.id]);
  });

  test("AS18 the task with the lowest priority is run even under an endless stream of urgent tasks", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit(urgent);
    const leastUrgent = mesh.submit({
      kind: "echo",
      priority: -PRIORITY_MAX,
      deadline_seconds: 86_400,
    });
    for (let minutes = 0; peer.offer.task_id !== leastUrgent.id; minutes++) {
      expect(minutes).toBeLessThanOrEqual(2 * PRIORITY_MAX + 1);
      mesh.submit(urgent);
      mesh.advanceClock(MINUTE);
      peer.finish();
    }
  });

  test("AS18 a task that comes later by the whole range of priorities goes behind, whatever its priority", () => {
    const anyPriority = fc.integer({ min: -PRIORITY_MAX, max: PRIORITY_MAX });
    fc.assert(
      fc.property(anyPriority, anyPriority, fc.nat(), (a, b, later) => {
        const span = 2 * PRIORITY_MAX * PRIORITY_AGING_STEP;
        expect(queuePositionOf(a, START)).toBeLessThanOrEqual(
          queuePositionOf(b, START + span + later),
        );
        // Of tasks that are submitted together the one with the higher priority goes first, at any time.
        if (a > b) expect(queuePositionOf(a, START)).toBeLessThan(queuePositionOf(b, START));
      }),
    );
  });
});

describe("a batch of tasks", () => {
  const echo = submission({ kind: "echo" });
  const batch = (n: number, key: string | null = null) => ({
    ...echo,
    tasks: Array.from({ length: n }, () => echo.task),
    idempotency: key === null ? null : { scope: "api:admin", key },
  });

  test("AS19 a batch is accepted as far as the queue has room, and the other items get queue_full", () => {
    const mesh = new TestMesh();
    mesh.fillQueue(9_998, { kind: "echo" });
    const { results } = mesh.run("submit_batch", batch(4));
    expect(results).toMatchObject([
      { task: { state: "queued" }, duplicate: false },
      { duplicate: false },
      { error: { code: "queue_full", status: 429, retry_after: expect.any(Number) } },
      { error: { code: "queue_full" } },
    ]);
    expect(mesh.registry.tasks.waiting.length).toBe(10_000);
  });

  test("AS19 repeating a batch under its idempotency key creates no task twice and returns the same tasks", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(C, { slots: 10 }).earn(10);
    const ids = (key: string) =>
      mesh.run("submit_batch", batch(3, key)).results.map((one) => "task" in one && one.task.id);
    const first = ids("k");
    expect(ids("k")).toEqual(first);
    expect(new Set([...first, ...ids("other")]).size).toBe(6);
    expect(peer.offers).toHaveLength(6);
  });
});
