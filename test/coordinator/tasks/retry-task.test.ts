import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { QUEUE_MAX, TASK_RETENTION } from "../../../src/protocol/constants.ts";
import type { RetryTask, SubmitTaskInput, TaskView } from "../../../src/protocol/http.ts";
import { KEYS, START, submission, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

const retry = (mesh: TestMesh, id: string, options: RetryTask = {}): TaskView =>
  mesh.run("retry_task", { id, visibleTo: null, ...options });

/** A task that its only peer failed for good. */
function failedTask(mesh: TestMesh, peer: TestPeer, task: Partial<SubmitTaskInput> = {}): string {
  const { id } = mesh.submit({ kind: "echo", ...task });
  peer.fail("it broke", false);
  expect(mesh.task(id).state).toBe("failed");
  return id;
}

const at = (time: number): string => new Date(time).toISOString();

describe("a retry", () => {
  test("AS80 gives a failed task all its attempts again, under its ID and with its history", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", max_attempts: 2, backoff: { first_seconds: 0 } });
    peer.fail();
    mesh.tick();
    peer.fail();
    expect(mesh.task(id)).toMatchObject({ state: "failed", retries: 0 });
    retry(mesh, id);
    expect(mesh.task(id)).toMatchObject({
      state: "leased",
      retries: 1,
      ended_at: null,
      error: null,
    });
    expect(peer.offer).toMatchObject({ task_id: id, attempt: 1 });
    peer.fail();
    mesh.tick();
    expect(mesh.task(id).state).toBe("leased");
    peer.finish("at last");
    const { state, result, attempts } = mesh.task(id);
    expect([state, result]).toEqual(["succeeded", "at last"]);
    expect(attempts.map((one) => one.state)).toEqual(["failed", "failed", "failed", "succeeded"]);
    const fences = attempts.map(({ attempt }) => attempt);
    expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b));
    expect(peer.view.tasks).toBe(0);
  });

  test("AS80 works for an expired and for a cancelled task", () => {
    const mesh = new TestMesh();
    const expired = mesh.submit({ kind: "echo", deadline_seconds: 1 });
    const cancelled = mesh.submit();
    mesh.run("cancel_task", { id: cancelled.id, visibleTo: null });
    mesh.runFor(SECOND);
    expect([expired, cancelled].map(({ id }) => mesh.task(id).state)).toEqual([
      "expired",
      "cancelled",
    ]);
    const peer = mesh.join(A, { slots: 2 });
    for (const { id } of [expired, cancelled]) retry(mesh, id);
    expect(peer.offers.map(({ task_id }) => task_id)).toEqual([expired.id, cancelled.id]);
  });

  test("AS80 sets a deadline as far ahead as the first one, however often the task is retried", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const id = failedTask(mesh, peer, { deadline_seconds: 90, priority: 3 });
    for (const pause of [HOUR, DAY]) {
      mesh.advanceClock(pause);
      retry(mesh, id);
      expect(mesh.task(id).deadline_at).toBe(at(mesh.now + 90 * SECOND));
      peer.fail("it broke", false);
    }
    retry(mesh, id, { deadline_seconds: 10 });
    mesh.advanceClock(10 * SECOND);
    mesh.tick();
    expect(mesh.task(id)).toMatchObject({ state: "expired", ended_at: at(mesh.now) });
  });

  test("AS80 counts the deadline of a scheduled task from its retry", () => {
    const mesh = new TestMesh();
    const not_before = at(START + DAY);
    const { id } = mesh.submit({ kind: "echo", deadline_seconds: 60, not_before });
    mesh.run("cancel_task", { id, visibleTo: null });
    retry(mesh, id);
    expect(mesh.task(id)).toMatchObject({
      state: "queued",
      not_before: at(START),
      deadline_at: at(START + MINUTE),
    });
    expect(mesh.join(A).offer.task_id).toBe(id);
  });

  test("AS80 may set other attempts", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const id = failedTask(mesh, peer);
    retry(mesh, id, { max_attempts: 1 });
    peer.fail();
    expect(mesh.task(id)).toMatchObject({ state: "failed", max_attempts: 1, retries: 1 });
  });

  test("AS80 puts the task behind those that wait already", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const id = failedTask(mesh, peer);
    const running = mesh.submit();
    mesh.advanceClock(SECOND);
    const waiting = mesh.submit();
    mesh.advanceClock(SECOND);
    retry(mesh, id);
    for (const next of [running.id, waiting.id, id]) {
      expect(peer.offer.task_id).toBe(next);
      peer.finish();
    }
    expect(mesh.task(id).state).toBe("succeeded");
  });

  test("AS80 leaves a task that has not ended as it is, and refuses one that has succeeded", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const id = failedTask(mesh, peer);
    retry(mesh, id);
    peer.accept();
    const before = mesh.contents();
    expect(retry(mesh, id, { max_attempts: 9 })).toMatchObject({ state: "running", retries: 1 });
    expect(mesh.contents()).toBe(before);
    peer.finish();
    expect(mesh.errorOf("retry_task", { id, visibleTo: null }).code).toBe("task_ended");
  });

  test("AS80 is for the owner of the task and for those who see every task", () => {
    const mesh = new TestMesh();
    const { id } = mesh.run("submit_task", submission({ kind: "echo" }, { owner: "me" })).task;
    mesh.run("cancel_task", { id, visibleTo: "me" });
    const error = mesh.errorOf("retry_task", { id, visibleTo: "another" });
    expect(error.code).toBe("not_found");
    expect(mesh.run("retry_task", { id, visibleTo: "me" }).state).toBe("queued");
  });

  test("AS80 is refused while the queue is full, and changes nothing then", () => {
    const mesh = new TestMesh();
    const { id } = mesh.submit();
    mesh.run("cancel_task", { id, visibleTo: null });
    mesh.fillQueue(QUEUE_MAX, { kind: "echo" });
    expect(mesh.errorOf("retry_task", { id, visibleTo: null })).toMatchObject({
      code: "queue_full",
      retryAfter: 5,
    });
  });

  test("AS80 keeps the idempotency key: the same submission is still the same task", () => {
    const mesh = new TestMesh();
    const input = submission({ kind: "echo" }, { idempotency: { scope: "admin", key: "order 1" } });
    const { id } = mesh.run("submit_task", input).task;
    mesh.run("cancel_task", { id, visibleTo: null });
    retry(mesh, id);
    expect(mesh.run("submit_task", input)).toMatchObject({
      duplicate: true,
      task: { id, state: "queued", retries: 1 },
    });
  });

  test("AS80 begins the task's retention anew", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const id = failedTask(mesh, peer, { deadline_seconds: 30 * 86_400 });
    mesh.advanceClock(TASK_RETENTION - DAY);
    retry(mesh, id);
    mesh.advanceClock(2 * DAY);
    mesh.tick();
    expect(mesh.task(id).retries).toBe(1);
  });

  test("AS80 keeps the newest 200 attempts of before", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const id = failedTask(mesh, peer);
    for (let count = 1; count <= 300; count++) {
      retry(mesh, id);
      peer.fail("it broke", false);
    }
    const { attempts, retries } = mesh.task(id);
    expect(retries).toBe(300);
    expect(attempts.length).toBeLessThanOrEqual(201);
    expect(attempts.at(-1)?.attempt).toBe(peer.offer.fence);
  });

  test("AS81 nothing that a peer sends about an attempt of before changes the task", () => {
    const mesh = new TestMesh();
    const [one, two] = [mesh.join(A), mesh.join(B)];
    const { id } = mesh.submit({
      kind: "echo",
      max_interruptions: 0,
      requirements: { peer_id: A.id },
    });
    one.accept();
    one.leave(); // the attempt is lost, and with it the task
    expect(mesh.task(id).state).toBe("failed");
    one.join({ slots: 0 });
    retry(mesh, id);
    const [finish, accept] = [one.successInput("late"), one.attempt()];
    expect(mesh.errorOf("finish_task", finish).code).toBe("lease_lost");
    expect(mesh.errorOf("accept_task", accept).code).toBe("lease_lost");
    expect(mesh.errorOf("progress_task", { ...accept, progress: 1 }).code).toBe("lease_lost");
    expect(mesh.errorOf("begin_result", accept).code).toBe("lease_lost");
    expect(two.offers).toEqual([]);
  });

  test("AS81 a peer that reconnects does not resume an attempt of before", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", max_interruptions: 0 });
    peer.accept();
    const { fence } = peer.offer;
    peer.leave();
    retry(mesh, id);
    peer.join({ slots: 0, held: [{ task_id: id, fence }] });
    expect(mesh.task(id)).toMatchObject({ state: "queued", peer_id: null });
    peer.join();
    expect(peer.offer).toMatchObject({ task_id: id, attempt: 1 });
  });

  test("AS80 is undone with its transaction, in the rows and in memory", () => {
    const mesh = new TestMesh();
    const { id } = mesh.submit();
    mesh.run("cancel_task", { id, visibleTo: null });
    expect(() =>
      mesh.registry.transaction(() => {
        retry(mesh, id);
        throw new Error("the disk is full");
      }),
    ).toThrow("the disk is full");
    expect(mesh.task(id)).toMatchObject({ state: "cancelled", retries: 0 });
    expect(mesh.registry.tasks.waiting.length).toBe(0);
    mesh.restart();
    expect(mesh.registry.tasks.waiting.length).toBe(0);
  });
});
