import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MeshEvent, TaskEvent } from "../../../src/protocol/events.ts";
import type { GroupedCommand } from "../../../src/coordinator/kernel/execute.ts";
import type { Sql } from "../../../src/registry/sql.ts";
import { nodeSql } from "../../node-sql.ts";
import { submission, TestMesh } from "../mesh.ts";
import { HistoryRunner } from "../history-runner.ts";
import { anyHistory } from "../operations.ts";
import { FoldedEvents } from "./folded-events.ts";

const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);

describe("the events of random histories", () => {
  test(
    "EV1 folding the events gives the states in the tables after every step, and no event repeats a state",
    { timeout: 300_000 * Math.max(1, SCALE) },
    () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 1e9 }), anyHistory(40), (seed, operations) => {
          const history = new HistoryRunner(seed);
          const folded = new FoldedEvents();
          for (const operation of operations) {
            history.mesh.registry.events.follow(history.mesh.now);
            history.stepWithoutComparing(operation);
            folded.follow(history.mesh.registry);
            expect(folded.states()).toEqual(FoldedEvents.statesIn(history.mesh));
          }
        }),
        { numRuns: Math.ceil(300 * SCALE) },
      );
    },
  );

  test("EV2 a refused command has no events, and those of the others of its group stay", () => {
    const { mesh } = new HistoryRunner(1);
    mesh.registry.events.follow(mesh.now);
    const submit = (deadlineSeconds: number): GroupedCommand => ({
      name: "submit_task",
      input: submission(
        { kind: "echo", deadline_seconds: deadlineSeconds },
        { idempotency: { scope: "admin", key: "a" } },
      ),
      actor: "admin",
    });
    const revoke: GroupedCommand = { name: "forget_peer", input: { id: "none" }, actor: "admin" };
    const { executed } = mesh.executeGroup([submit(60), submit(61), revoke]);
    expect(executed.map(({ result }) => result.ok)).toEqual([true, false, false]);
    const { events } = mesh.registry.events.read(null, 100);
    expect(events.map(({ event }) => event.type)).toEqual(["task.queued"]);
  });

  test("EV2 a group that fails as a whole leaves no events, in the log or for the next group", () => {
    const database = nodeSql();
    let fails = false;
    const sql: Sql = {
      ...database,
      transaction: (body) =>
        database.transaction(() => {
          const value = body();
          if (fails) throw new Error("the disk is full");
          return value;
        }),
    };
    const mesh = new TestMesh({ sql });
    mesh.registry.events.follow(mesh.now);
    mesh.submit({ kind: "first" });
    fails = true;
    expect(() => mesh.execute("enqueue_task", submission({ kind: "undone" }))).toThrow();
    fails = false;
    mesh.submit({ kind: "second" });
    const kinds = () =>
      mesh.registry.events.read(null, 100).events.map(({ event }) => "task" in event && event.kind);
    expect(kinds()).toEqual(["first", "second"]);
    mesh.restart();
    expect(kinds()).toEqual(["first", "second"]);
  });

  test("EV8 a task with a large payload costs no statement more while nobody follows", () => {
    const database = nodeSql();
    const statements: string[] = [];
    const sql: Sql = {
      ...database,
      exec(query, ...bindings) {
        statements.push(query);
        return database.exec(query, ...bindings);
      },
    };
    const mesh = new TestMesh({ sql });
    const reads = (): number =>
      statements.filter((query) => query.startsWith("SELECT state, fence")).length;
    const cancelled = (): void => {
      const { id } = mesh.submit({ kind: "echo", payload: "x".repeat(200_000) });
      mesh.run("cancel_task", { id, visibleTo: null });
    };
    cancelled();
    expect(reads()).toBe(0);
    mesh.registry.events.follow(mesh.now);
    cancelled();
    expect(reads()).toBe(1);
  });

  test("EV7 no event has the payload, the result or the error of its task, and its message is bounded", () => {
    const history = new HistoryRunner(1);
    const { mesh } = history;
    mesh.registry.events.follow(mesh.now);
    const KEYS_OF_TASK = [
      "type",
      "task",
      "kind",
      "owner",
      "peer",
      "fence",
      "state",
      "previous",
      "progress",
      "message",
    ];
    history.stepWithoutComparing({
      type: "join",
      peer: 0,
      role: "worker",
      capabilities: [],
      slots: 2,
      prefetch: false,
      heldList: "no_list",
      speaksMuster: true,
      kinds: ["*"],
      rttMs: 1,
    });
    const { id } = mesh.submit({ kind: "echo", payload: "secret payload" });
    const task = mesh.registry.tasks.get(id);
    if (task === null || task.peerId === null) throw new Error("the task is not leased");
    const claim = { peerId: task.peerId, epoch: 1, taskId: id, fence: task.fence };
    mesh.run("accept_task", { ...claim, queued: false });
    mesh.run("progress_task", { ...claim, progress: 0.5, message: "x".repeat(400) });
    const events = mesh.registry.events.read(null, 100).events.map(({ event }) => event);
    const ofTask = events.filter((event): event is TaskEvent => event.type.startsWith("task."));
    expect(ofTask.map(({ type }: MeshEvent) => type)).toEqual([
      "task.queued",
      "task.leased",
      "task.running",
      "task.progress",
    ]);
    for (const event of ofTask) expect(Object.keys(event)).toEqual(KEYS_OF_TASK);
    expect(ofTask.at(-1)?.message?.length).toBe(256);
    expect(JSON.stringify(events)).not.toContain("secret payload");
  });
});
