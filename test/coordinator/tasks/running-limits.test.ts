import { describe, expect, test } from "vitest";
import { SECOND } from "../../../src/base/clock.ts";
import type { SubmitTaskInput } from "../../../src/protocol/http.ts";
import { present } from "../../must.ts";
import { KEYS, submission, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

const submitAs = (mesh: TestMesh, owner: string, task: Partial<SubmitTaskInput> = {}): string =>
  mesh.run("enqueue_task", submission({ kind: "echo", ...task }, { owner })).id;

const ownersOf = (mesh: TestMesh, peer: TestPeer): string[] =>
  peer.offers.map(({ task_id }) => present(mesh.registry.tasks.get(task_id)).owner);

const NOT_SET = { attempt_timeout_seconds: null, concurrency: null, rate: null };

function setKind(mesh: TestMesh, settings: object): void {
  mesh.run("put_kind", { kind: "echo", settings: { ...NOT_SET, ...settings } });
}

describe("limits on running tasks", () => {
  test("FQ5 an owner has at most max_running tasks at peers, and its queued tasks delay nobody", () => {
    const mesh = new TestMesh();
    const { id: owner } = mesh.run("create_token", {
      label: "",
      scope: "controller",
      max_running: 2,
    });
    for (let i = 0; i < 300; i++) submitAs(mesh, owner);
    submitAs(mesh, "other");
    const peer = mesh.join(A, { slots: 8 });
    expect(ownersOf(mesh, peer).toSorted()).toEqual([owner, owner, "other"].toSorted());
    peer.finish();
    peer.finish();
    expect(mesh.registry.tasks.running.ofOwner(owner)).toBe(2);
    mesh.run("update_token", { id: owner, max_running: null });
    expect(mesh.registry.tasks.running.ofOwner(owner)).toBeGreaterThan(2);
  });

  test("FQ5 at most `limit` tasks of a concurrency key are at peers, and keys of other owners are others", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 8 });
    const concurrency = { key: "db", limit: 1 };
    const [first, second] = [
      submitAs(mesh, "a", { concurrency }),
      submitAs(mesh, "a", { concurrency }),
    ];
    submitAs(mesh, "a");
    submitAs(mesh, "b", { concurrency });
    expect(peer.offers.map(({ task_id }) => task_id)).not.toContain(second);
    expect(peer.offers).toHaveLength(3);
    mesh.run("cancel_task", { id: first, visibleTo: null });
    expect(peer.offer.task_id).toBe(second);
  });

  test("FQ5 a kind's concurrency holds over all peers", () => {
    const mesh = new TestMesh();
    setKind(mesh, { concurrency: 1 });
    const [one, two] = [mesh.join(A), mesh.join(B)];
    submitAs(mesh, "a");
    const waiting = submitAs(mesh, "b");
    expect(one.offers.length + two.offers.length).toBe(1);
    submitAs(mesh, "a", { kind: "other" });
    expect(one.offers.length + two.offers.length).toBe(2);
    mesh.run("delete_kind", { kind: "echo" });
    expect(mesh.task(waiting).state).toBe("queued"); // both peers are busy
    mesh.sessions.get(one.session)?.finish();
    expect(mesh.task(waiting).state).toBe("leased");
  });

  test("FQ6 a kind's rate is kept: a burst at first, then one by one, without any other event", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 64 });
    setKind(mesh, { rate: { per_second: 2, burst: 3 } });
    mesh.runFor(10 * SECOND);
    for (let i = 0; i < 10; i++) submitAs(mesh, "a");
    // The bucket of a kind begins with one token, when its first task is offered.
    expect(peer.offers).toHaveLength(1);
    mesh.runFor(499);
    expect(peer.offers).toHaveLength(1);
    mesh.runFor(2);
    expect(peer.offers).toHaveLength(2);
    mesh.runFor(1 * SECOND);
    expect(peer.offers).toHaveLength(4);
  });

  test.each([
    ["max_running", { max_running: 1 }, {}, {}],
    ['concurrency key "db"', {}, { concurrency: { key: "db", limit: 1 } }, {}],
    ["the concurrency of the kind", {}, {}, { concurrency: 1 }],
    ["rate of 2", {}, {}, { rate: { per_second: 2, burst: 1 } }],
  ])("FQ9 why a task waits names its limit: %s", (words, limits, task, settings) => {
    const mesh = new TestMesh();
    const { id: owner } = mesh.run("create_token", { label: "", scope: "controller", ...limits });
    setKind(mesh, settings);
    mesh.join(A, { slots: 8 });
    submitAs(mesh, owner, task);
    const waiting = submitAs(mesh, owner, task);
    expect(mesh.run("why_task", { id: waiting, visibleTo: null }).waits_because).toContain(words);
    expect(mesh.task(waiting).state).toBe("queued");
  });

  test("FQ8 a kind's attempt timeout holds for tasks without one of their own", () => {
    const mesh = new TestMesh();
    setKind(mesh, { attempt_timeout_seconds: 7 });
    expect(mesh.task(submitAs(mesh, "a")).attempt_timeout_seconds).toBe(7);
    const own = submitAs(mesh, "a", { attempt_timeout_seconds: 9 });
    expect(mesh.task(own).attempt_timeout_seconds).toBe(9);
  });

  test("FQ10 running tasks and settings are counted again after a restart", () => {
    const mesh = new TestMesh();
    setKind(mesh, { concurrency: 2 });
    const peer = mesh.join(A, { slots: 8 });
    for (let i = 0; i < 5; i++) submitAs(mesh, "a");
    expect(peer.offers).toHaveLength(2);
    mesh.restart();
    submitAs(mesh, "a");
    expect(peer.offers).toHaveLength(2);
    peer.finish();
    expect(peer.offers).toHaveLength(3);
  });

  test("FQ9 a task's view shows its concurrency key and limit", () => {
    const mesh = new TestMesh();
    const concurrency = { key: "db 7", limit: 2 };
    const submit = (more: object) =>
      mesh.run("submit_task", submission({ kind: "echo", ...more }, { owner: "a" })).task;
    expect(submit({ concurrency }).concurrency).toEqual(concurrency);
    expect(submit({}).concurrency).toBeNull();
  });

  test("FQ10 what a failed transaction counted is not counted", () => {
    const mesh = new TestMesh();
    const id = submitAs(mesh, "a", { concurrency: { key: "k", limit: 1 } });
    const { tasks, kindSettings, ownerLimits, apiTokens } = mesh.registry;
    const { id: token } = mesh.run("create_token", { label: "", scope: "controller", weight: 3 });
    expect(() =>
      mesh.registry.transaction(() => {
        tasks.update({ ...present(tasks.get(id)), state: "leased", leaseUntil: 1, peerId: "p" });
        tasks.shares.served(id, "a", 500);
        apiTokens.setLimits(token, { ...ownerLimits.of(token), weight: 9 });
        kindSettings.put("echo", { attemptTimeoutMs: 1, concurrency: 1, rate: null });
        expect([tasks.running.ofKey("a", "k"), ownerLimits.of(token).weight]).toEqual([1, 9]);
        throw new Error("undone");
      }),
    ).toThrow("undone");
    expect([tasks.running.ofKey("a", "k"), tasks.running.ofOwner("a")]).toEqual([0, 0]);
    expect([tasks.shares.tagOf("a"), tasks.waiting.queuedOf("a")]).toEqual([0, 1]);
    expect(ownerLimits.of(token).weight).toBe(3);
    expect(kindSettings.get("echo")).toBeNull();
  });
});

describe("the statistics of the queue", () => {
  test("FQ11 an owner sees its own tasks, the operator all, with the limits that hold", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    submitAs(mesh, "a");
    submitAs(mesh, "a");
    submitAs(mesh, "b", { kind: "resize" });
    mesh.advanceClock(5 * SECOND);
    const all = mesh.run("task_stats", { visibleTo: null });
    expect(all).toMatchObject({ waiting: 2, running: 1, oldest_wait_seconds: 5, truncated: false });
    expect(all.kinds.map(({ kind, waiting, running }) => [kind, waiting, running])).toEqual([
      ["echo", 1, 1],
      ["resize", 1, 0],
    ]);
    const own = mesh.run("task_stats", { visibleTo: "b" });
    expect(own).toMatchObject({ waiting: 1, running: 0 });
    expect(own.owners).toEqual([
      expect.objectContaining({
        owner: "b",
        limits: {
          weight: 1,
          max_waiting: 2_500,
          max_running: null,
          max_priority: null,
          max_bytes: 1_250_000_000,
        },
      }),
    ]);
  });
});
