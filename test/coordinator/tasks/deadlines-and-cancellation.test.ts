import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import {
  BLOB_GRACE_PERIOD,
  EPOCH_ROTATION_INTERVAL,
  TASK_RETENTION,
} from "../../../src/protocol/constants.ts";
import { KEYS, START, submission, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;
const SHORT = { kind: "echo", deadline_seconds: 10 };
const cancel = (id: string) => ({ id, visibleTo: null });

describe("a deadline", () => {
  test("AS11 that passes expires a waiting task", () => {
    const mesh = new TestMesh();
    const task = mesh.submit(SHORT);
    mesh.pass(10 * SECOND - 1);
    mesh.tick();
    expect(mesh.task(task.id).state).toBe("queued");
    mesh.pass(1);
    mesh.tick();
    expect(mesh.task(task.id)).toMatchObject({
      state: "expired",
      ended_at: task.deadline_at,
      error: "the deadline passed before the task was done",
    });
    expect(mesh.performed("task_ended")).toEqual([{ type: "task_ended", taskId: task.id }]);
  });

  test("AS11 that passes expires a held task, and its peer is told to stop", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit(SHORT);
    peer.accept();
    mesh.live(10 * SECOND);
    expect(mesh.task(task.id)).toMatchObject({
      state: "expired",
      attempts: [{ state: "cancelled" }],
    });
    expect(peer.cancelled).toMatchObject([{ taskId: task.id, fence: 1 }]);
    expect(peer.view).toMatchObject({ tasks: 0, failures: 0 });
    expect(mesh.refusal("finish_task", peer.outcome("late")).code).toBe("lease_lost");
  });

  test("AS11 holds also while a task that failed rests", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit({ ...SHORT, deadline_seconds: 0.2 });
    peer.fail("it broke");
    mesh.live(SECOND);
    expect(mesh.task(task.id)).toMatchObject({ state: "expired", error: "it broke" });
    expect(peer.offers).toHaveLength(1);
  });

  test("AS11 is met by the alarm, to the millisecond", () => {
    const mesh = new TestMesh();
    mesh.submit(SHORT);
    mesh.pass(5 * SECOND);
    expect(mesh.nextTick()).toBe(START + 10 * SECOND);
  });

  test("AS11 of many tasks at once expires all of them in a few ticks", () => {
    const mesh = new TestMesh();
    mesh.fill(1_100, SHORT);
    mesh.live(11 * SECOND);
    expect(mesh.rows("SELECT DISTINCT state FROM tasks")).toEqual([{ state: "expired" }]);
    expect(mesh.nextTick()).toBeNull();
  });
});

describe("a task can be cancelled", () => {
  test("AS11 while it waits: it is offered to nobody then", () => {
    const mesh = new TestMesh();
    const { id } = mesh.submit();
    mesh.pass(SECOND);
    expect(mesh.run("cancel_task", cancel(id))).toMatchObject({
      state: "cancelled",
      ended_at: new Date(START + SECOND).toISOString(),
    });
    expect(mesh.performed("task_ended")).toHaveLength(1);
    expect(mesh.join(A).offers).toEqual([]);
  });

  test("AS11 while it is offered or running: its peer is told to stop, and is not blamed", () => {
    for (const running of [false, true]) {
      const mesh = new TestMesh();
      const peer = mesh.join(A);
      const { id } = mesh.submit();
      if (running) peer.accept();
      mesh.run("cancel_task", cancel(id));
      expect(peer.cancelled).toMatchObject([{ taskId: id, fence: 1 }]);
      expect(peer.view).toMatchObject({ tasks: 0, failures: 0, successes: 0 });
      expect(mesh.refusal("finish_task", peer.outcome("late")).code).toBe("lease_lost");
    }
  });

  test("AS11 more than once, to the same effect", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit();
    const first = mesh.run("cancel_task", cancel(id));
    mesh.pass(SECOND);
    expect(mesh.run("cancel_task", cancel(id))).toEqual(first);
    expect(peer.cancelled).toHaveLength(1);
  });

  test("AS11 not once it has ended otherwise", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const done = mesh.submit();
    peer.finish();
    const failed = mesh.submit();
    peer.fail("broken", false);
    const expired = mesh.submit({ ...SHORT, requirements: { capabilities: ["gpu"] } });
    mesh.live(MINUTE);
    for (const { id } of [done, failed, expired])
      expect(mesh.refusal("cancel_task", cancel(id)).code).toBe("task_ended");
  });

  test("AS11 but one that does not exist is not_found", () => {
    const mesh = new TestMesh();
    expect(mesh.refusal("cancel_task", cancel("no such task")).code).toBe("not_found");
  });
});

describe("an ended task", () => {
  test("is kept for 30 days, then removed with its attempts and its idempotency key", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const input = submission({ kind: "echo" }, { idempotency: { key: "k", scope: "admin" } });
    const { id } = mesh.run("submit_task", input).task;
    peer.finish();
    const waits = mesh.submit({
      kind: "echo",
      requirements: { capabilities: ["gpu"] },
      deadline_seconds: (30 * DAY) / 1_000,
    });
    mesh.pass(TASK_RETENTION);
    mesh.tick();
    expect(mesh.task(id).state).toBe("succeeded");
    mesh.pass(1);
    mesh.tick();
    expect(mesh.refusal("get_task", { id, visibleTo: null }).code).toBe("not_found");
    expect(mesh.rows("SELECT * FROM attempts")).toEqual([]);
    expect(mesh.rows("SELECT * FROM idempotency")).toEqual([]);
    expect(mesh.task(waits.id).state).toBe("expired");
  });

  test("answers its repeated idempotency key with a new task once it is gone", () => {
    const mesh = new TestMesh();
    const input = submission({ kind: "echo" }, { idempotency: { key: "k", scope: "admin" } });
    const { id } = mesh.run("submit_task", input).task;
    mesh.sql.exec("DELETE FROM tasks");
    expect(mesh.run("submit_task", input)).toMatchObject({ duplicate: false });
    expect(mesh.run("submit_task", input).task.id).not.toBe(id);
  });
});

describe("the next tick", () => {
  test("is none when nothing waits for a time", () => {
    const mesh = new TestMesh();
    expect(mesh.nextTick()).toBeNull();
    mesh.join(A);
    expect(mesh.nextTick()).toBe(mesh.now + EPOCH_ROTATION_INTERVAL);
    mesh.run("gone", { peerId: A.id, epoch: 1, reason: "closed", silent: false });
    const left = mesh.now;
    mesh.live(BLOB_GRACE_PERIOD);
    expect(mesh.nextTick()).toBe(left + 30 * DAY + 1);
  });

  test("is the earliest of a lease, an offer's end, a pause, a deadline and the sweep", () => {
    const mesh = new TestMesh();
    const waits = () => (mesh.nextTick() ?? Number.NaN) - mesh.now;
    mesh.submit({ kind: "echo", deadline_seconds: HOUR / 1_000 });
    expect(waits()).toBe(MINUTE);
    const peer = mesh.join(A);
    expect(waits()).toBe(5 * SECOND);
    peer.accept();
    expect(waits()).toBe(MINUTE);
    peer.fail();
    expect(waits()).toBeLessThanOrEqual(500);
    expect(waits()).toBeGreaterThanOrEqual(250);
    mesh.submit({ kind: "echo", deadline_seconds: 0.1, requirements: { peer_id: B.id } });
    expect(waits()).toBe(100);
  });

  test("does nothing when it comes too early or too often", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    mesh.submit();
    mesh.submit();
    const before = mesh.contents();
    mesh.tick();
    mesh.pass(SECOND);
    mesh.tick();
    expect(mesh.contents()).toBe(before);
  });
});
