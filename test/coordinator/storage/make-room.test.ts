import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../src/base/clock.ts";
import type { Sql } from "../../../src/registry/sql.ts";
import { present } from "../../must.ts";
import { submission, type TestMesh } from "../mesh.ts";
import { countTicks } from "./count-ticks.ts";
import { endedTasks, fillTo, isThere, LARGE, LIMIT, smallMesh, submitAs } from "./small-mesh.ts";

const CALLBACK = { callback: { url: "https://example.com/done" } };

const countOf = (mesh: TestMesh, table: string): number =>
  Number(mesh.rows(`SELECT COUNT(*) AS n FROM ${table}`)[0]?.["n"]);

describe("making room", () => {
  test("SB1 free pages of the database do not count as used, and are used again", () => {
    const { mesh } = smallMesh();
    const empty = mesh.registry.size();
    const fill = () => {
      const ids = endedTasks(mesh, "a", 8);
      const used = mesh.registry.size();
      mesh.advanceClock(31 * 24 * 60 * MINUTE);
      mesh.tick();
      expect(ids.some((id) => isThere(mesh, id))).toBe(false);
      return used;
    };
    const [first, second] = [fill(), fill()];
    expect(first - empty).toBeGreaterThan(2_000_000);
    expect(Math.abs(second - first)).toBeLessThan(200_000);
    expect(mesh.registry.size() - empty).toBeLessThan(200_000);
  });

  test("SB2 a store of any number of ended tasks stays under 80 %, and keeps the newest", () => {
    const { mesh } = smallMesh();
    const ids = endedTasks(mesh, "a", 150);
    expect(mesh.registry.size()).toBeLessThanOrEqual(0.8 * LIMIT);
    expect(mesh.registry.size()).toBeGreaterThan(0.7 * LIMIT);
    const there = ids.map((id) => isThere(mesh, id));
    const first = there.indexOf(true);
    expect(first).toBeGreaterThan(0);
    expect(there.slice(first).every(Boolean)).toBe(true);
  });

  test("SB2 removing goes on to 75 % with the alarm alone, and then stops", () => {
    const small = smallMesh();
    const { mesh } = small;
    endedTasks(mesh, "a", 40);
    fillTo(small, 1.1);
    mesh.run("set_auth_mode", { mode: "open" });
    mesh.runFor(MINUTE);
    expect(mesh.registry.size()).toBeLessThanOrEqual(0.75 * LIMIT);
    const left = countOf(mesh, "tasks");
    fillTo(small, 0.79);
    mesh.runFor(MINUTE);
    expect(countOf(mesh, "tasks")).toBe(left);
    mesh.restart();
    mesh.runFor(MINUTE);
    expect(countOf(mesh, "tasks")).toBe(left);
  });

  test("SB2 with nothing left to remove, the alarm rings once a minute and not more often", () => {
    const small = smallMesh();
    const { mesh } = small;
    submitAs(mesh, "a");
    fillTo(small, 0.95);
    const alarms = countTicks(mesh);
    mesh.runFor(10 * MINUTE);
    // One more looks for alerts after the submission.
    expect(alarms.ticks).toBeLessThanOrEqual(10 + 1);
    expect(alarms.ticks).toBeGreaterThanOrEqual(9);
  });

  test.each([
    ["an owner", "flood", "api"],
    ["a webhook source", "admin", "webhook:noisy"],
  ])(
    "SB3 %s that floods the store removes its own ended tasks, not those of others",
    (_, owner, source) => {
      const { mesh } = smallMesh();
      const quiet = endedTasks(mesh, "quiet", 10);
      const operator = endedTasks(mesh, "admin", 5);
      endedTasks(mesh, owner, 200, {}, source);
      for (const id of [...quiet, ...operator]) expect(isThere(mesh, id)).toBe(true);
      expect(mesh.registry.size()).toBeLessThanOrEqual(0.8 * LIMIT);
    },
  );

  test("SB3 a burst of tasks that end at once leaves room for another owner's task", () => {
    const { mesh } = smallMesh();
    const [honest] = endedTasks(mesh, "honest", 1);
    for (let n = 0; n < 300; n++) {
      const { result } = mesh.execute(
        "enqueue_task",
        submission({ kind: "echo", payload: LARGE }, { owner: "flood" }),
      );
      if (result.ok) mesh.run("cancel_task", { id: result.value.id, visibleTo: null });
      if (n % 20 === 0) submitAs(mesh, "honest", { payload: "x".repeat(100_000) });
    }
    expect(mesh.registry.size()).toBeLessThanOrEqual(0.9 * LIMIT);
    expect(isThere(mesh, present(honest))).toBe(true);
  });

  test("SB3 an owner with the most bytes, all of which have just ended, does not keep the old tasks of others", () => {
    const small = smallMesh();
    const { mesh } = small;
    const old = [...endedTasks(mesh, "old", 8), ...endedTasks(mesh, "older", 7)];
    mesh.advanceClock(10 * MINUTE);
    const burst = Array.from({ length: 9 }, () => {
      const id = submitAs(mesh, "burst", { payload: LARGE });
      mesh.run("cancel_task", { id, visibleTo: null });
      return id;
    });
    fillTo(small, 0.895);
    mesh.tick();
    expect(burst.every((id) => isThere(mesh, id))).toBe(true);
    expect(old.filter((id) => isThere(mesh, id)).length).toBeLessThan(old.length);
    submitAs(mesh, "other", { payload: LARGE });
  });

  test("SB3 of any number of owners those with the most bytes give way, and a group of commands costs few statements", () => {
    const small = smallMesh();
    const { mesh } = small;
    const id = submitAs(mesh, "one", { payload: "x" });
    const task = present(mesh.registry.tasks.get(id));
    const OWNERS = 3_000;
    mesh.registry.transaction(() => {
      for (let n = 0; n < OWNERS; n++)
        for (let copy = 0; copy <= n % 5; copy++)
          mesh.registry.tasks.insert({
            ...task,
            id: `${id} ${n} ${copy}`,
            owner: `owner ${n}`,
            state: "cancelled",
            endedAt: mesh.now,
          });
    });
    const bytesOf = () => new Map(mesh.registry.tasks.ownerBytes.ended());
    const before = bytesOf();
    mesh.advanceClock(10 * MINUTE);
    small.store.extra = LIMIT;
    const inner = { ...mesh.sql };
    let statements = 0;
    Object.assign(mesh.sql, {
      exec: (...call: Parameters<Sql["exec"]>) => {
        statements++;
        return inner.exec(...call);
      },
    });
    for (let group = 0; group < 20; group++) {
      statements = 0;
      mesh.run("set_auth_mode", { mode: "open" });
      expect(statements).toBeLessThan(1_000);
    }
    const after = bytesOf();
    const largest = Math.max(...before.values());
    const least = Math.min(
      ...[...before].flatMap(([owner, bytes]) => (after.get(owner) === bytes ? [] : [bytes])),
    );
    expect(least).toBe(largest);
  });

  test("SB3 owners keep what their weights are worth", () => {
    const { mesh } = smallMesh();
    const heavy = mesh.run("create_token", { label: "", scope: "controller", weight: 3 }).id;
    for (let round = 0; round < 100; round++) {
      endedTasks(mesh, heavy, 1);
      endedTasks(mesh, "light", 1);
    }
    const bytes = new Map(mesh.registry.tasks.ownerBytes.ended());
    const ratio = present(bytes.get(heavy)) / present(bytes.get("light"));
    expect(ratio).toBeGreaterThan(2);
    expect(ratio).toBeLessThan(4);
  });

  test("SB4 a task whose callback is under way stays while its owner has others", () => {
    const { mesh } = smallMesh();
    const [called] = endedTasks(mesh, "a", 1, CALLBACK);
    endedTasks(mesh, "a", 150);
    expect(isThere(mesh, present(called))).toBe(true);
    expect(mesh.registry.callbacks.get(present(called))).toMatchObject({ state: "pending" });
  });

  test("SB4 an owner all of whose ended tasks have callbacks under way still gives way before others do", () => {
    const { mesh } = smallMesh();
    const quiet = endedTasks(mesh, "quiet", 5);
    endedTasks(mesh, "flood", 150, CALLBACK);
    for (const id of quiet) expect(isThere(mesh, id)).toBe(true);
    expect(mesh.registry.size()).toBeLessThanOrEqual(0.8 * LIMIT);
  });

  test("SB4 a task that has just ended can be read by the caller that waits for it", () => {
    const small = smallMesh();
    const { mesh } = small;
    mesh.registry.size();
    endedTasks(mesh, "a", 30);
    mesh.advanceClock(2 * MINUTE);
    const id = submitAs(mesh, "a");
    fillTo(small, 0.85);
    mesh.run("cancel_task", { id, visibleTo: null });
    expect(isThere(mesh, id)).toBe(true);
    expect(countOf(mesh, "tasks")).toBeLessThan(31);
  });

  test("SB5 with a task goes all that belongs to it, also its large result in KV", () => {
    const small = smallMesh();
    const { mesh } = small;
    const { id } = mesh.run(
      "enqueue_task",
      submission(
        { kind: "echo", ...CALLBACK },
        { owner: "a", idempotency: { key: "k", scope: "a" } },
      ),
    );
    mesh.blobs.add("result:b10b");
    mesh.registry.taskResults.put(id, {
      sealTo: null,
      sealed: false,
      blobId: "b10b",
      bytes: 400_000,
      sha256: "",
      uploadBegunAt: null,
    });
    mesh.run("cancel_task", { id, visibleTo: null });
    mesh.advanceClock(2 * MINUTE);
    fillTo(small, 0.85);
    mesh.tick();
    for (const table of [
      "tasks",
      "idempotency",
      "callbacks",
      "task_results",
      "attempts",
      "choices",
    ])
      expect([table, countOf(mesh, table)]).toEqual([table, 0]);
    expect(mesh.blobs.has("result:b10b")).toBe(false);
  });
});
