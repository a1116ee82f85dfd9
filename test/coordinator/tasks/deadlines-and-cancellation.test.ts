import { DEFAULT_THRESHOLDS } from "../../../src/alerts/thresholds.ts";
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { EPOCH_ROTATION_INTERVAL, TASK_RETENTION } from "../../../src/protocol/constants.ts";
import { KEYS, START, submission, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;
const SHORT = { kind: "echo", deadline_seconds: 10 };
const cancelInput = (id: string) => ({ id, visibleTo: null });

/** While tasks wait, alerts have ticks of their own. */
const WITHOUT_QUEUE_ALERTS = {
  alerts: { ...DEFAULT_THRESHOLDS, queueOld: null, queueLong: null },
};

describe("a task's deadline", () => {
  test("AS11 a queued task expires at its deadline", () => {
    const mesh = new TestMesh();
    const task = mesh.submit(SHORT);
    mesh.advanceClock(10 * SECOND - 1);
    mesh.tick();
    expect(mesh.task(task.id).state).toBe("queued");
    mesh.advanceClock(1);
    mesh.tick();
    expect(mesh.task(task.id)).toMatchObject({
      state: "expired",
      ended_at: task.deadline_at,
      error: "the deadline passed before the task was done",
    });
    expect(mesh.effectsOfType("task_ended")).toEqual([{ type: "task_ended", taskId: task.id }]);
  });

  test("AS11 a held task expires at its deadline, and its peer is told to cancel it", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit(SHORT);
    peer.accept();
    mesh.runFor(10 * SECOND);
    expect(mesh.task(task.id)).toMatchObject({
      state: "expired",
      attempts: [{ state: "cancelled" }],
    });
    expect(peer.cancelled).toMatchObject([{ taskId: task.id, fence: 1 }]);
    expect(peer.view).toMatchObject({ tasks: 0, failures: 1 });
    expect(mesh.errorOf("finish_task", peer.successInput("late")).code).toBe("lease_lost");
  });

  test("AS11 a task expires at its deadline also during the pause after a failed attempt", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit({ ...SHORT, deadline_seconds: 0.2 });
    peer.fail("it broke");
    mesh.runFor(SECOND);
    expect(mesh.task(task.id)).toMatchObject({ state: "expired", error: "it broke" });
    expect(peer.offers).toHaveLength(1);
  });

  test("AS11 the alarm is set to the exact millisecond of the deadline", () => {
    const mesh = new TestMesh();
    mesh.submit(SHORT);
    mesh.advanceClock(5 * SECOND);
    expect(mesh.nextTick()).toBe(START + 10 * SECOND);
  });

  test("AS11 many tasks with the same deadline expire within a few ticks", () => {
    const mesh = new TestMesh({ config: WITHOUT_QUEUE_ALERTS });
    mesh.fillQueue(1_100, SHORT);
    mesh.runFor(11 * SECOND);
    expect(mesh.rows("SELECT DISTINCT state FROM tasks")).toEqual([{ state: "expired" }]);
    // What comes next is the end of the lifetime of rows.
    expect(mesh.nextTick()).toBeGreaterThan(mesh.now + 30 * MINUTE);
  });
});

describe("cancelling a task", () => {
  test("AS11 a task that is cancelled while queued is never offered", () => {
    const mesh = new TestMesh();
    const { id } = mesh.submit();
    mesh.advanceClock(SECOND);
    expect(mesh.run("cancel_task", cancelInput(id))).toMatchObject({
      state: "cancelled",
      ended_at: new Date(START + SECOND).toISOString(),
    });
    expect(mesh.effectsOfType("task_ended")).toHaveLength(1);
    expect(mesh.join(A).offers).toEqual([]);
  });

  test("AS11 cancelling an offered or running task informs its peer and does not count as its failure", () => {
    for (const running of [false, true]) {
      const mesh = new TestMesh();
      const peer = mesh.join(A);
      const { id } = mesh.submit();
      if (running) peer.accept();
      mesh.run("cancel_task", cancelInput(id));
      expect(peer.cancelled).toMatchObject([{ taskId: id, fence: 1 }]);
      expect(peer.view).toMatchObject({ tasks: 0, failures: 0, successes: 0 });
      expect(mesh.errorOf("finish_task", peer.successInput("late")).code).toBe("lease_lost");
    }
  });

  /** How many of four tasks a peer with four slots gets at once, after its first attempt at the kind was ended. */
  function heldAfter(end: "cancel" | "deadline", seconds: number): number {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 4 });
    const first = end === "deadline" ? { deadline_seconds: seconds } : { deadline_seconds: 3_600 };
    const { id } = mesh.submit({ kind: "echo", ...first });
    peer.accept();
    // It reports progress, so that its lease lasts.
    for (let second = 0; second < seconds; second++) {
      peer.progress();
      mesh.runFor(SECOND);
    }
    if (end === "cancel") mesh.run("cancel_task", cancelInput(id));
    for (let count = 0; count < 4; count++) mesh.submit({ kind: "echo", deadline_seconds: 3_600 });
    return peer.view.tasks;
  }

  test.each([1, 5, 15, 29])(
    "BR10 a peer whose first task of a kind is cancelled after %i s gets as many tasks as before",
    (seconds) => {
      expect(heldAfter("cancel", seconds)).toBe(4);
    },
  );

  test.each([
    ["cancel", 45],
    ["deadline", 5],
    ["deadline", 45],
  ] as const)(
    "BR10 a peer whose first task of a kind ends by %s after %i s gets one at a time",
    (end, seconds) => {
      expect(heldAfter(end, seconds)).toBe(1);
    },
  );

  test("BR10 many early cancellations open the circuit of the kind all the same, and not that of the peer", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const others = mesh.join(B);
    expect(others.offers).toEqual([]);
    for (let count = 0; count < 20; count++) {
      const { id } = mesh.submit({
        kind: "echo",
        deadline_seconds: 3_600,
        requirements: { peer_id: A.id },
      });
      peer.accept();
      mesh.runFor(25 * SECOND);
      mesh.run("cancel_task", cancelInput(id));
    }
    expect(peer.view.circuits?.map(({ kind }) => kind)).toEqual(["echo"]);
  });

  test("AS11 cancelling a task again has the same outcome as the first time", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit();
    const first = mesh.run("cancel_task", cancelInput(id));
    mesh.advanceClock(SECOND);
    expect(mesh.run("cancel_task", cancelInput(id))).toEqual(first);
    expect(peer.cancelled).toHaveLength(1);
  });

  test("AS11 cancelling a task that has ended otherwise gets task_ended", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const done = mesh.submit();
    peer.finish();
    const failed = mesh.submit();
    peer.fail("broken", false);
    const expired = mesh.submit({ ...SHORT, requirements: { capabilities: ["gpu"] } });
    mesh.runFor(MINUTE);
    for (const { id } of [done, failed, expired])
      expect(mesh.errorOf("cancel_task", cancelInput(id)).code).toBe("task_ended");
  });

  test("AS11 cancelling an unknown task gets not_found", () => {
    const mesh = new TestMesh();
    expect(mesh.errorOf("cancel_task", cancelInput("no such task")).code).toBe("not_found");
  });
});

describe("a task that has ended", () => {
  test("a task is kept for 30 days after its end, then removed with its attempts and its idempotency key", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const input = submission({ kind: "echo" }, { idempotency: { key: "k", scope: "admin" } });
    const { id } = mesh.run("submit_task", input).task;
    peer.finish();
    const longTask = mesh.submit({
      kind: "echo",
      requirements: { capabilities: ["gpu"] },
      deadline_seconds: (30 * DAY) / 1_000,
    });
    mesh.advanceClock(TASK_RETENTION);
    mesh.tick();
    expect(mesh.task(id).state).toBe("succeeded");
    mesh.advanceClock(1);
    mesh.tick();
    expect(mesh.errorOf("get_task", { id, visibleTo: null }).code).toBe("not_found");
    expect(mesh.rows("SELECT * FROM attempts")).toEqual([]);
    expect(mesh.rows("SELECT * FROM idempotency")).toEqual([]);
    expect(mesh.task(longTask.id).state).toBe("expired");
  });

  test("an idempotency key whose task was removed creates a new task", () => {
    const mesh = new TestMesh();
    const input = submission({ kind: "echo" }, { idempotency: { key: "k", scope: "admin" } });
    const { id } = mesh.run("submit_task", input).task;
    mesh.sql.exec("DELETE FROM tasks");
    mesh.restart();
    expect(mesh.run("submit_task", input)).toMatchObject({ duplicate: false });
    expect(mesh.run("submit_task", input).task.id).not.toBe(id);
  });
});

describe("the next tick", () => {
  test("there is no next tick unless something is due at a known time", () => {
    const mesh = new TestMesh({ config: WITHOUT_QUEUE_ALERTS });
    expect(mesh.nextTick()).toBeNull();
    mesh.join(A);
    // Rows with a lifetime were written.
    expect(mesh.nextTick()).toBe(mesh.now + HOUR);
    mesh.runFor(HOUR);
    expect(mesh.nextTick()).toBe(START + EPOCH_ROTATION_INTERVAL);
    mesh.run("gone", { peerId: A.id, epoch: 1, reason: "closed", silent: false });
    const left = mesh.now;
    mesh.runFor(2 * DAY);
    expect(mesh.nextTick()).toBe(left + 30 * DAY + 1);
  });

  test("the next tick is the earliest of a lease, an offer timeout, a pause, a deadline and the sweep", () => {
    const mesh = new TestMesh({ config: WITHOUT_QUEUE_ALERTS });
    const untilNextTick = () => (mesh.nextTick() ?? Number.NaN) - mesh.now;
    mesh.submit({ kind: "echo", deadline_seconds: HOUR / 1_000 });
    expect(untilNextTick()).toBe(MINUTE);
    const peer = mesh.join(A);
    expect(untilNextTick()).toBe(5 * SECOND);
    peer.accept();
    expect(untilNextTick()).toBe(MINUTE);
    peer.fail();
    expect(untilNextTick()).toBeLessThanOrEqual(500);
    expect(untilNextTick()).toBeGreaterThanOrEqual(250);
    mesh.submit({ kind: "echo", deadline_seconds: 0.1, requirements: { peer_id: B.id } });
    expect(untilNextTick()).toBe(100);
  });

  test("a tick that comes too early or too often changes nothing", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    mesh.submit();
    mesh.submit();
    const before = mesh.contents();
    mesh.tick();
    mesh.advanceClock(SECOND);
    mesh.tick();
    expect(mesh.contents()).toBe(before);
  });
});
